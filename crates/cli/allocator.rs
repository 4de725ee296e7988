//! The allocator, and how soon it gives back to the system what was freed.
//!
//! mimalloc keeps freed memory for a second, in case it is wanted again. Where memory is bounded that second counts: a grouping within 256 MiB
//! peaked at 295 MiB, and at 258 with ten milliseconds (2026-11-25).

use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` in mimalloc.h, which libmimalloc-sys leaves out.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Freed memory is given back so soon. To be called before there are threads.
#[expect(
    unsafe_code,
    reason = "the safe way is an environment variable, which a program cannot set for itself before it starts"
)]
pub(crate) fn give_back_after(delay: Duration) {
    let milliseconds = std::ffi::c_long::try_from(delay.as_millis()).unwrap_or(std::ffi::c_long::MAX);
    // SAFETY: the first function writes a word of mimalloc's table of options, whose length it checks, and no other thread reads that yet;
    // the second gives back what is free, which any thread may do at any time. Without it, what was freed before keeps its second,
    // and with it all that is freed meanwhile.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, milliseconds);
        libmimalloc_sys::mi_collect(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "the option is read back")]
    fn the_option_is_the_one_that_is_meant() {
        // SAFETY: reading a word of the table of options.
        let read = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(read(), 1_000, "mimalloc's own");
        give_back_after(Duration::from_millis(7));
        assert_eq!(read(), 7);
        give_back_after(Duration::from_secs(1));
    }
}
