//! Credentials that can be loaded anew before their time.
//!
//! The SDK keeps an identity until the time it was said to end. A service may find it expired earlier: a session that was
//! revoked, a clock that is off. Then what is kept is thrown away once, and the providers are asked again.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// The identities of a connection. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Identities {
    load_timeout: Duration,
    kept: Arc<RwLock<Kept>>,
}

#[derive(Debug)]
struct Kept {
    cache: SharedIdentityCache,
    /// How often it was thrown away.
    generation: u64,
}

impl Identities {
    /// None yet; loading them may take so long.
    pub(crate) fn new(load_timeout: Duration) -> Self {
        let kept = Kept { cache: empty(load_timeout), generation: 0 };
        Self { load_timeout, kept: Arc::new(RwLock::new(kept)) }
    }

    /// Which identities are in use now, for [`Identities::renew`].
    pub(crate) fn generation(&self) -> u64 {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).generation
    }

    /// Throws away the identities of this generation. Of many requests that find them expired, the first does it.
    pub(crate) fn renew(&self, expired: u64) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.generation == expired {
            *kept = Kept { cache: empty(self.load_timeout), generation: expired + 1 };
        }
    }
}

fn empty(load_timeout: Duration) -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(load_timeout).build()
}

impl ResolveCachedIdentity for Identities {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        runtime_components: &'a RuntimeComponents,
        config_bag: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let cache = self.kept.read().unwrap_or_else(PoisonError::into_inner).cache.clone();
        IdentityFuture::new(async move {
            cache.resolve_cached_identity(resolver, runtime_components, config_bag).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_that_find_it_expired_one_renews() {
        let identities = Identities::new(Duration::from_secs(1));
        let expired = identities.generation();
        for _ in 0..3 {
            identities.renew(expired);
        }
        assert_eq!(identities.generation(), expired + 1);
    }
}
