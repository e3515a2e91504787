//! What every version needs that has instructions of its own.

/// Makes a version: its token, which only `detect` makes, once the processor has said that it has the instructions, and
/// its vector of masks, which only a token makes.
///
/// The module that calls it has the functions `masks`, `equal`, `escapable`, `parity`, `load`, `store`, `and`, `or`,
/// `xor`, `not`, `next` and `is_zero`, each of which says to the compiler which instructions it needs. They are safe to
/// call for whoever has a token or a vector; that is said here, once for all of them. The whole of what is done with
/// them is compiled with these instructions as well, or nothing could be compiled into one another.
macro_rules! version {
    ($(#[$doc:meta])* $token:ident, $lanes:ident, $registers:ty, $features:literal, $has_them:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) struct $token(());

        /// A vector of masks.
        #[derive(Clone, Copy)]
        pub(crate) struct $lanes($registers);

        impl $token {
            /// Returns it if this processor has it.
            pub(super) fn detect() -> Option<Self> {
                $has_them.then_some(Self(()))
            }

            /// See [`structure::read`](crate::structure::read).
            #[inline]
            pub(super) fn read(self, reading: &mut crate::structure::Reading<'_>) -> Option<()> {
                #[target_feature(enable = $features)]
                fn read(simd: $token, reading: &mut crate::structure::Reading<'_>) -> Option<()> {
                    crate::structure::read(simd, reading)
                }
                // SAFETY: the token says that the processor has the instructions.
                unsafe { read(self, reading) }
            }

            /// See [`skip`](crate::skip::skip).
            #[inline]
            pub(super) fn skip(self, text: &[u8], start: usize) -> usize {
                #[target_feature(enable = $features)]
                fn skip(simd: $token, text: &[u8], start: usize) -> usize {
                    crate::skip::skip(simd, text, start)
                }
                // SAFETY: the token says that the processor has the instructions.
                unsafe { skip(self, text, start) }
            }
        }

        impl $crate::simd::Simd for $token {
            type Lanes = $lanes;

            #[inline(always)]
            fn masks(self, block: &$crate::simd::Block) -> $crate::simd::Masks {
                // SAFETY: the token says that the processor has the instructions.
                unsafe { masks(block) }
            }

            #[inline(always)]
            fn equal(self, block: &$crate::simd::Block, byte: u8) -> u64 {
                // SAFETY: the token says that the processor has the instructions.
                unsafe { equal(block, byte) }
            }

            #[inline(always)]
            fn escapable(self, block: &$crate::simd::Block) -> u64 {
                // SAFETY: the token says that the processor has the instructions.
                unsafe { escapable(block) }
            }

            #[inline(always)]
            fn parity(self, bits: u64) -> u64 {
                // SAFETY: the token says that the processor has the instructions.
                unsafe { parity(bits) }
            }

            #[inline]
            fn fill(self, window: &mut crate::walk::window::Window<'_>) {
                #[target_feature(enable = $features)]
                fn fill(simd: $token, window: &mut crate::walk::window::Window<'_>) {
                    crate::walk::window::fill(simd, window);
                }
                // SAFETY: the token says that the processor has the instructions.
                unsafe { fill(self, window) }
            }

            #[inline(always)]
            fn load(self, lanes: &[u64; $crate::simd::LANES]) -> $lanes {
                // SAFETY: the token says that the processor has the instructions.
                unsafe { $lanes(load(lanes)) }
            }
        }

        impl std::ops::BitAnd for $lanes {
            type Output = Self;

            #[inline(always)]
            fn bitand(self, other: Self) -> Self {
                // SAFETY: a token made the vector, which says that the processor has the instructions.
                unsafe { Self(and(self.0, other.0)) }
            }
        }

        impl std::ops::BitOr for $lanes {
            type Output = Self;

            #[inline(always)]
            fn bitor(self, other: Self) -> Self {
                // SAFETY: a token made the vector, which says that the processor has the instructions.
                unsafe { Self(or(self.0, other.0)) }
            }
        }

        impl std::ops::BitXor for $lanes {
            type Output = Self;

            #[inline(always)]
            fn bitxor(self, other: Self) -> Self {
                // SAFETY: a token made the vector, which says that the processor has the instructions.
                unsafe { Self(xor(self.0, other.0)) }
            }
        }

        impl std::ops::Not for $lanes {
            type Output = Self;

            #[inline(always)]
            fn not(self) -> Self {
                // SAFETY: a token made the vector, which says that the processor has the instructions.
                unsafe { Self(not(self.0)) }
            }
        }

        impl $crate::simd::Lanes for $lanes {
            #[inline(always)]
            fn next(self, before: Self) -> Self {
                // SAFETY: a token made the vector, which says that the processor has the instructions.
                unsafe { Self(next(self.0, before.0)) }
            }

            #[inline(always)]
            fn is_zero(self) -> bool {
                // SAFETY: a token made the vector, which says that the processor has the instructions.
                unsafe { is_zero(self.0) }
            }

            #[inline(always)]
            fn store(self) -> [u64; $crate::simd::LANES] {
                // SAFETY: a token made the vector, which says that the processor has the instructions.
                unsafe { store(self.0) }
            }
        }
    };
}

pub(super) use version;
