//! A file that is only appended to, and whose older parts are kept beside it under numbers.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use crate::time::day_of;

#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    pub(crate) max_bytes: u64,
    pub(crate) is_daily: bool,
    pub(crate) kept: u32,
    current: Option<Current>,
}

/// The file that is written to.
#[derive(Debug)]
struct Current {
    file: File,
    length: u64,
    /// The day of what is in it, if anything is.
    day: Option<u64>,
    /// Whether its last line has no end.
    is_torn: bool,
}

impl LogFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            max_bytes: 100 * 1024 * 1024,
            is_daily: false,
            kept: 9,
            current: None,
        }
    }

    /// Opens the file, or begins another one, if that is needed to append so many bytes of this time.
    pub(crate) fn make_room(&mut self, bytes: usize, time: Duration) -> io::Result<()> {
        if self
            .current
            .as_ref()
            .is_some_and(|one| !self.is_in_place(one))
        {
            self.current = None;
        }
        if self.current.is_none() {
            self.current = Some(Current::open(&self.path)?);
        }
        if !self.has_room(bytes, time) {
            self.rotate()?;
            self.current = Some(Current::open(&self.path)?);
        }
        if let Some(current) = &mut self.current {
            current.day = current.day.max(Some(day_of(time)));
        }
        Ok(())
    }

    /// Whether so many bytes of this time may be appended to what is there. Anything may to an empty file.
    pub(crate) fn has_room(&self, bytes: usize, time: Duration) -> bool {
        let Some(current) = &self.current else {
            return false;
        };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let is_too_long = current.length.saturating_add(bytes) > self.max_bytes;
        // An event that comes late, or before the clock was set back, stays with the others.
        let is_past = self.is_daily && current.day.is_some_and(|day| day < day_of(time));
        current.length == 0 && current.day.is_none() || !is_too_long && !is_past
    }

    /// Appends all of it, or nothing.
    pub(crate) fn append(&mut self, text: &[u8]) -> io::Result<()> {
        // Gone on an error: opening it again shows how it was left.
        let mut current = self.current.take().ok_or(ErrorKind::NotFound)?;
        let before = current.file.metadata()?;
        let result = if current.is_torn {
            current.file.write_all(&[b"\n", text].concat())
        } else {
            current.file.write_all(text)
        };
        if let Err(error) = result {
            if before.is_file() {
                // If that fails as well, the next line starts on a line of its own.
                let _ = current.file.set_len(before.len());
            }
            return Err(error);
        }
        current.is_torn = false;
        current.length += u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.current = Some(current);
        Ok(())
    }

    /// Has what was appended survive the machine.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        match &self.current {
            // Pipes and devices have nothing to be synchronized.
            Some(current) if current.file.metadata()?.is_file() => current.file.sync_data(),
            _ => Ok(()),
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        // Closed first, since some systems move no open files.
        self.current = None;
        if self.kept == 0 {
            return fs::remove_file(&self.path);
        }
        for number in (1..self.kept).rev() {
            found(fs::rename(self.numbered(number), self.numbered(number + 1)))?;
        }
        fs::rename(&self.path, self.numbered(1))?;
        // More of them may have been kept once.
        let mut old = self.kept.saturating_add(1);
        while fs::remove_file(self.numbered(old)).is_ok() {
            old += 1;
        }
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut path = OsString::from(&self.path);
        path.push(format!(".{number}"));
        path.into()
    }

    /// Whether the file is still the one that has its name.
    fn is_in_place(&self, current: &Current) -> bool {
        match (fs::metadata(&self.path), current.file.metadata()) {
            (Ok(named), Ok(open)) => is_same(&named, &open),
            _ => false,
        }
    }
}

impl Current {
    fn open(path: &PathBuf) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let metadata = file.metadata()?;
        let length = if metadata.is_file() {
            metadata.len()
        } else {
            0
        };
        let changed = metadata.modified()?.duration_since(UNIX_EPOCH);
        let mut last = [b'\n'];
        if length > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok(Self {
            file,
            length,
            day: (length > 0).then(|| day_of(changed.unwrap_or_default())),
            is_torn: last != [b'\n'],
        })
    }
}

#[cfg(unix)]
pub(crate) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
pub(crate) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    one.len() == other.len()
}

/// What is not there needs not be moved.
fn found(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
