//! Tiles by AMX: registers of 16 rows of 64 bytes, and one instruction that multiplies two of them and adds to a third.

use super::WIDTH;
use super::tiles::{Tile, Tiles};
use std::arch::asm;
use std::sync::OnceLock;

/// Rows of a register, and columns of one that holds f32.
const SIDE: usize = 16;

/// The tile instructions; dropping it releases the registers, so that they need not be saved when the thread sleeps.
pub(super) struct Amx {
    /// Where tiles at the edges of the result are made.
    edge: Edge,
}

/// A whole tile.
#[repr(align(64))]
pub(super) struct Edge([f32; Amx::HIGH * Amx::WIDE]);

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// All eight registers are as large as they can be.
static CONFIGURATION: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

impl Amx {
    /// True where the machine has the instructions and the kernel lets this process use them; it is asked once.
    pub(super) fn is_available() -> bool {
        static AVAILABLE: OnceLock<bool> = OnceLock::new();
        *AVAILABLE.get_or_init(|| has_instructions() && is_permitted())
    }
}

/// AMX-TILE and AMX-BF16, as CPUID says.
fn has_instructions() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const NEEDED: u32 = 1 << 22 | 1 << 24;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & NEEDED == NEEDED
}

/// Linux hands out the state of tiles on request only. The request also fails where the machine does not save that state.
#[cfg(target_os = "linux")]
fn is_permitted() -> bool {
    const REQUEST_PERMISSION: libc::c_int = 0x1023;
    const TILE_DATA: libc::c_ulong = 18;
    // SAFETY: the call takes two numbers and changes nothing but what this process may use.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn is_permitted() -> bool {
    false
}

impl Drop for Amx {
    fn drop(&mut self) {
        // SAFETY: an `Amx` exists only where the instructions do.
        unsafe {
            asm!("tilerelease", out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm5") _, out("tmm6") _,
                out("tmm7") _, options(nostack, nomem, preserves_flags));
        }
    }
}

impl Tiles for Amx {
    const HIGH: usize = 2 * SIDE;
    const WIDE: usize = 2 * SIDE;
    const TERMS: usize = 2 * SIDE;

    unsafe fn begin() -> Self {
        // SAFETY: the machine has the instructions, as the caller promises; the configuration has the form that they read.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const CONFIGURATION, out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _, options(nostack, readonly, preserves_flags));
        }
        Self { edge: Edge([0.0; Self::HIGH * Self::WIDE]) }
    }

    unsafe fn multiply(&mut self, tile: &Tile) {
        // SAFETY: promised by the caller; the tile that `through` hands on is whole.
        unsafe { through(&mut self.edge, tile, |tile| multiply_whole(tile)) };
    }
}

/// Multiplies a tile by what multiplies whole ones only: at the edges of the result in `edge`, from which the entries are copied.
///
/// # Safety
/// As [`Tiles::multiply`]; `whole` reads and writes what a whole tile describes.
pub(super) unsafe fn through(edge: &mut Edge, tile: &Tile, whole: impl FnOnce(&Tile)) {
    let &Tile { rows, columns, start, start_stride, out, out_stride, .. } = tile;
    if rows == Amx::HIGH && columns == Amx::WIDE {
        return whole(tile);
    }
    for (i, row) in edge.0.chunks_exact_mut(Amx::WIDE).enumerate().take(rows) {
        // SAFETY: rows to start from, as the caller promises.
        row[..columns].copy_from_slice(unsafe { std::slice::from_raw_parts(start.add(i * start_stride), columns) });
    }
    let out_of_edge = edge.0.as_mut_ptr();
    whole(&Tile {
        start: out_of_edge,
        start_stride: Amx::WIDE,
        out: out_of_edge,
        out_stride: Amx::WIDE,
        rows: Amx::HIGH,
        columns: Amx::WIDE,
        ..*tile
    });
    for (i, row) in edge.0.chunks_exact(Amx::WIDE).enumerate().take(rows) {
        // SAFETY: rows to write to, as the caller promises.
        unsafe { std::ptr::copy_nonoverlapping(row.as_ptr(), out.add(i * out_stride), columns) };
    }
}

/// A whole tile in four registers of sums; two registers of each operand, 32 terms at a time.
///
/// # Safety
/// As [`Tiles::multiply`], on a thread whose registers are configured.
unsafe fn multiply_whole(tile: &Tile) {
    const PAIR: usize = size_of::<u32>();
    const NUMBER: usize = size_of::<f32>();
    // SAFETY: the block reads and writes what the tile describes, as the caller promises: 64 bytes are a row of a register, and 16 rows
    // further down lies what belongs to the lower registers. It changes the named registers, the flags and the tile's entries alone.
    unsafe {
        asm!(
            "tileloadd tmm0, [{start} + {start_stride}]",
            "tileloadd tmm1, [{start} + {start_stride} + 64]",
            "lea {start}, [{start} + 8*{start_stride}]",
            "lea {start}, [{start} + 8*{start_stride}]",
            "tileloadd tmm2, [{start} + {start_stride}]",
            "tileloadd tmm3, [{start} + {start_stride} + 64]",
            "test {steps}, {steps}",
            "jz 3f",
            "2:",
            "tileloadd tmm4, [{left} + {left_stride}]",
            "tileloadd tmm6, [{right} + {right_stride}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{right} + {right_stride} + 64]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{lower_left} + {left_stride}]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {left}, 64",
            "add {lower_left}, 64",
            "add {right}, {step}",
            "dec {steps}",
            "jnz 2b",
            "3:",
            "tilestored [{out} + {out_stride}], tmm0",
            "tilestored [{out} + {out_stride} + 64], tmm1",
            "lea {out}, [{out} + 8*{out_stride}]",
            "lea {out}, [{out} + 8*{out_stride}]",
            "tilestored [{out} + {out_stride}], tmm2",
            "tilestored [{out} + {out_stride} + 64], tmm3",
            start = inout(reg) tile.start => _,
            start_stride = in(reg) tile.start_stride * NUMBER,
            steps = inout(reg) tile.pairs / SIDE => _,
            left = inout(reg) tile.left => _,
            lower_left = inout(reg) tile.left.wrapping_add(SIDE * tile.left_stride) => _,
            left_stride = in(reg) tile.left_stride * PAIR,
            right = inout(reg) tile.right => _,
            right_stride = in(reg) WIDTH * PAIR,
            step = const SIDE * WIDTH * PAIR,
            out = inout(reg) tile.out => _,
            out_stride = in(reg) tile.out_stride * NUMBER,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack)
        );
    }
}

#[cfg(test)]
pub(super) mod emulated {
    use super::*;

    /// The instructions of AMX by their definition: what a machine without them tests tiles, layouts and edges with.
    pub(in super::super) struct Emulated(Edge);

    impl Tiles for Emulated {
        const HIGH: usize = Amx::HIGH;
        const WIDE: usize = Amx::WIDE;
        const TERMS: usize = Amx::TERMS;

        unsafe fn begin() -> Self {
            Self(Edge([0.0; Self::HIGH * Self::WIDE]))
        }

        unsafe fn multiply(&mut self, tile: &Tile) {
            // SAFETY: promised by the caller.
            unsafe { through(&mut self.0, tile, |tile| multiply_whole(tile)) };
        }
    }

    type Register<T> = [[T; SIDE]; SIDE];

    /// `tileloadd`: sixteen rows of 64 bytes, `stride` entries apart.
    unsafe fn load<T: Copy>(from: *const T, stride: usize) -> Register<T> {
        // SAFETY: promised by the caller.
        std::array::from_fn(|i| std::array::from_fn(|j| unsafe { *from.add(i * stride + j) }))
    }

    /// `tilestored`.
    unsafe fn store(to: *mut f32, stride: usize, register: &Register<f32>) {
        for (i, row) in register.iter().enumerate() {
            for (j, &value) in row.iter().enumerate() {
                // SAFETY: promised by the caller.
                unsafe { *to.add(i * stride + j) = value };
            }
        }
    }

    /// `tdpbf16ps`: the pairs of a row to the left meet those of the rows to the right.
    fn multiply_add(sums: &mut Register<f32>, left: &Register<u32>, right: &Register<u32>) {
        let halves = |pair: u32| [f32::from_bits(pair << 16), f32::from_bits(pair & 0xffff_0000)];
        for (sums, left) in sums.iter_mut().zip(left) {
            for (&left, right) in left.iter().zip(right) {
                for (sum, &right) in sums.iter_mut().zip(right) {
                    let ([a, b], [c, d]) = (halves(left), halves(right));
                    *sum += a * c;
                    *sum += b * d;
                }
            }
        }
    }

    /// As the assembly, instruction by instruction.
    unsafe fn multiply_whole(tile: &Tile) {
        let lower = |from: *const u32| from.wrapping_add(SIDE * tile.left_stride);
        // SAFETY: promised by the caller.
        unsafe {
            let below = tile.start.add(SIDE * tile.start_stride);
            let mut sums = [tile.start, tile.start.add(SIDE), below, below.add(SIDE)].map(|from| load(from, tile.start_stride));
            for step in 0..tile.pairs / SIDE {
                let (left, right) = (tile.left.add(step * SIDE), tile.right.add(step * SIDE * WIDTH));
                let left = [load(left, tile.left_stride), load(lower(left), tile.left_stride)];
                let right = [load(right, WIDTH), load(right.add(SIDE), WIDTH)];
                for (place, sums) in sums.iter_mut().enumerate() {
                    multiply_add(sums, &left[place / 2], &right[place % 2]);
                }
            }
            let below = tile.out.add(SIDE * tile.out_stride);
            for (to, sums) in [tile.out, tile.out.add(SIDE), below, below.add(SIDE)].into_iter().zip(&sums) {
                store(to, tile.out_stride, sums);
            }
        }
    }
}
