//! The scanner for processors with AVX2.

use std::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_set1_epi8, _mm256_setr_epi64x,
};

use super::{Filler, Marks, STEP, last_step};

/// Fills the index if this processor can; `false` where it cannot.
pub(super) fn scan(text: &[u8], filler: &mut Filler<'_>) -> bool {
    if !is_x86_feature_detected!("avx2")
        || !is_x86_feature_detected!("bmi1")
        || !is_x86_feature_detected!("popcnt")
    {
        return false;
    }
    // SAFETY: the processor has the features that the function is compiled for, as was just asked. The function itself is
    // safe code: it reads through slices.
    #[expect(
        unsafe_code,
        reason = "the portable scanner takes more than twice as long (quotes.rs has the figures)"
    )]
    unsafe {
        scan_avx2(text, filler);
    }
    true
}

#[target_feature(enable = "avx2,bmi1,popcnt")]
fn scan_avx2(text: &[u8], filler: &mut Filler<'_>) {
    let (steps, rest) = text.as_chunks::<STEP>();
    for step in steps {
        filler.step(marks(step));
    }
    if !rest.is_empty() {
        filler.step(marks(&last_step(rest)));
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn marks(step: &[u8; STEP]) -> Marks {
    let (words, _) = step.as_chunks::<8>();
    let word = |at: usize| i64::from_le_bytes(words[at]);
    // Eight consecutive words: the compiler makes two loads of them.
    let low = _mm256_setr_epi64x(word(0), word(1), word(2), word(3));
    let high = _mm256_setr_epi64x(word(4), word(5), word(6), word(7));
    let equal = |byte: u8| {
        let wanted = _mm256_set1_epi8(byte.cast_signed());
        join(_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted))
    };
    let greatest = _mm256_set1_epi8(0x1f);
    let below_space = |bytes: __m256i| _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, greatest), bytes);
    Marks {
        quotes: equal(b'"'),
        backslashes: equal(b'\\'),
        controls: join(below_space(low), below_space(high)),
        line_feeds: equal(b'\n'),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn join(low: __m256i, high: __m256i) -> u64 {
    let bits = |half: __m256i| u64::from(_mm256_movemask_epi8(half).cast_unsigned());
    bits(low) | bits(high) << 32
}
