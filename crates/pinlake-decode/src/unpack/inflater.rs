//! Deflate through libdeflate, with the one answer that its safe wrapper does not give: how much input was used.
//!
//! Without it a whole piece cannot be judged: a second member, or garbage, could hide behind the first one's end, and a
//! search for what could be another member is wrong for one sound piece in twenty, which then has to be streamed at half
//! the speed. The calls are fenced in here; `unpack::tests` and the fuzz target `unpack` hold their outcome against the
//! stream's.

use std::ptr::NonNull;

use libdeflate_sys::{
    libdeflate_alloc_decompressor, libdeflate_decompressor, libdeflate_deflate_decompress_ex,
    libdeflate_free_decompressor, libdeflate_result_LIBDEFLATE_SUCCESS,
};

/// How far a deflate stream went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inflated {
    /// Bytes of input up to the stream's end.
    pub(super) used: usize,
    /// Bytes of output.
    pub(super) written: usize,
}

/// A decompressor of libdeflate.
pub(super) struct Inflater {
    decompressor: NonNull<libdeflate_decompressor>,
}

#[expect(unsafe_code, reason = "libdeflater, the safe wrapper, does not tell how much input was used")]
impl Inflater {
    /// `None` where there is no memory for it.
    pub(super) fn new() -> Option<Self> {
        // SAFETY: the function has no preconditions; it returns null or a decompressor that is ours to free.
        let decompressor = NonNull::new(unsafe { libdeflate_alloc_decompressor() })?;
        Some(Self { decompressor })
    }

    /// Inflates the stream that `data` begins with into `out`; `None` where it is damaged or does not fit.
    pub(super) fn inflate(&mut self, data: &[u8], out: &mut [u8]) -> Option<Inflated> {
        let mut inflated = Inflated { used: 0, written: 0 };
        // SAFETY: the decompressor is alive and borrowed for this call alone; the pointers and lengths are those of slices,
        // the output's for writing; libdeflate reads and writes within them and writes the two counts.
        let result = unsafe {
            libdeflate_deflate_decompress_ex(
                self.decompressor.as_ptr(),
                data.as_ptr().cast(),
                data.len(),
                out.as_mut_ptr().cast(),
                out.len(),
                &raw mut inflated.used,
                &raw mut inflated.written,
            )
        };
        (result == libdeflate_result_LIBDEFLATE_SUCCESS).then_some(inflated)
    }
}

#[expect(unsafe_code, reason = "what C allocated, C frees")]
impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: it came from `libdeflate_alloc_decompressor` and is freed once, here.
        unsafe { libdeflate_free_decompressor(self.decompressor.as_ptr()) };
    }
}
