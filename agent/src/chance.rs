//! The system's randomness, drawn once and stretched; everybody else is handed a [`Chance`].

use pointsman_shared::wire::Nonce;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng as _, RngExt as _, SeedableRng as _, TryRng as _};

use crate::dispatcher::Chance;

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoChance(#[source] rand::rngs::SysError);

/// A generator that was seeded by the system.
#[derive(Debug)]
pub struct SystemChance(StdRng);

impl SystemChance {
    /// Seeds a generator.
    pub fn new() -> Result<Self, NoChance> {
        StdRng::try_from_rng(&mut SysRng).map(Self).map_err(NoChance)
    }
}

/// A seed for a private key, from the system itself.
pub fn key_seed() -> Result<zeroize::Zeroizing<[u8; 32]>, NoChance> {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    SysRng.try_fill_bytes(seed.as_mut()).map_err(NoChance)?;
    Ok(seed)
}

impl Chance for SystemChance {
    fn nonce(&mut self) -> Nonce {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        Nonce::from_bytes(bytes)
    }

    fn fraction(&mut self) -> f64 {
        self.0.random()
    }
}
