use std::fmt;
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// A time since the Unix epoch as RFC 3339 has it, in UTC and with milliseconds: `2026-11-24T14:35:08.123Z`.
///
/// After the year 9999, which the format does not reach, it is the last moment of that year.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rfc3339(pub(crate) Duration);

/// The last millisecond of the year 9999.
const LAST: Duration = Duration::from_millis(253_402_300_799_999);

/// Days since the epoch.
pub(crate) fn day_of(time: Duration) -> u64 {
    time.as_secs() / DAY
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0.min(LAST);
        let (year, month, day) = date_of(day_of(time));
        let second = time.as_secs() % DAY;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let milli = time.subsec_millis();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
        )
    }
}

/// Year, month and day of a day since the epoch, in the Gregorian calendar.
fn date_of(mut day: u64) -> (u64, u64, u64) {
    // From here on the calendar repeats every 400 years. A year is guessed, never too late, and corrected.
    let mut year = 1970 + day / 366;
    day -= days_before(year);
    while day >= length_of(year) {
        day -= length_of(year);
        year += 1;
    }
    let february = length_of(year) - 337;
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (year, month, day + 1)
}

/// Days between the epoch and the first of January.
fn days_before(year: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
}

fn length_of(year: u64) -> u64 {
    days_before(year + 1) - days_before(year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_rfc_3339_has_it() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (1, "1970-01-01T00:00:00.001Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
            (1_800_000_000_000, "2027-01-15T08:00:00.000Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "9999-12-31T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ];
        for (milliseconds, text) in cases {
            let time = Rfc3339(Duration::from_millis(milliseconds));
            assert_eq!(time.to_string(), text, "{milliseconds}");
        }
    }

    #[test]
    fn each_day_follows_the_one_before_until_the_calendar_repeats() {
        let mut before = date_of(0);
        assert_eq!(before, (1970, 1, 1));
        for day in 1..=146_097 {
            let date = date_of(day);
            let (year, month, first) = date;
            let is_next_in_month = date == (before.0, before.1, before.2 + 1);
            let is_next_month = before.2 >= 28 && date == (before.0, before.1 + 1, 1);
            let is_next_year = before == (year - 1, 12, 31) && (month, first) == (1, 1);
            assert!(
                is_next_in_month || is_next_month || is_next_year,
                "{date:?}"
            );
            before = date;
        }
        assert_eq!(before, (2370, 1, 1));
    }
}
