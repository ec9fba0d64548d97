//! What a cache takes from the machine as tokens come, until long after it is full.

use std::fs;

use countersign::TokenCache;

use super::Point;
use crate::Error;
use crate::alloc;
use crate::systems::authenticator;
use crate::world::{World, mint, usual_token};

/// By the counting allocator: what was asked for and not given back.
pub const ALLOCATED: &str = "memory: allocated";
/// By the operating system: resident, what the allocator rounds up and leaves unused included.
pub const RESIDENT: &str = "memory: resident";

/// The default of the suite.
pub const CONFIGURED: usize = 32 * 1024 * 1024;

/// Twice what there is room for.
const TOKENS: usize = 40_000;

/// After how many tokens the memory is looked at.
const STEP: usize = 1000;

/// Bytes above those before there was an authenticator, by how many distinct tokens have come. Every one is verified, and
/// so goes into the cache.
pub fn measure(world: &World) -> Result<Vec<Point>, Error> {
    eprintln!("signing {TOKENS} tokens");
    let token = usual_token(world.issuer());
    let tokens = mint(TOKENS, |_| token.clone());
    let (allocated, resident) = (alloc::bytes(), resident()?);
    let authenticator = authenticator(world, TokenCache::new(CONFIGURED as u64))?;
    let mut points = Vec::new();
    let mut come = 0;
    for step in tokens.chunks(STEP) {
        world.block_on(async {
            for token in step {
                authenticator.verify(token).await?;
            }
            Ok::<_, Error>(())
        })?;
        come += step.len();
        let more = alloc::bytes() - allocated;
        points.push(Point::new(ALLOCATED, come, more, "bytes"));
        let more = self::resident()? - resident;
        points.push(Point::new(RESIDENT, come, more, "bytes"));
    }
    points.sort_by(|one, other| one.series.cmp(&other.series));
    Ok(points)
}

/// Bytes of this process in memory.
fn resident() -> Result<f64, Error> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kibibytes: u32 = kibibytes
        .ok_or("Linux says how much is resident")?
        .trim()
        .parse()?;
    Ok(f64::from(kibibytes) * 1024.0)
}
