//! A flat array in memory or in a mapped file.

use bytemuck::{AnyBitPattern, NoUninit};
use mmap_io::MemoryMappedFile;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Read-only elements; a clone of a mapped array shares the map.
#[derive(Clone)]
pub(crate) enum Array<T> {
    Owned(Vec<T>),
    Mapped(Mapped),
}

/// Bytes of a file that checks at construction have shown to be there and aligned.
#[derive(Clone)]
pub(crate) struct Mapped {
    file: Arc<MemoryMappedFile>,
    bytes: Range<u64>,
}

impl<T: AnyBitPattern + NoUninit> Array<T> {
    /// These bytes of a map, copied where they are not aligned for `T`; `None` where they are not there or no whole
    /// number of elements.
    pub(crate) fn mapped(file: &Arc<MemoryMappedFile>, bytes: Range<u64>) -> Option<Self> {
        let slice = file.as_slice_bytes(bytes.start, bytes.end.checked_sub(bytes.start)?).ok()?;
        match bytemuck::try_cast_slice::<u8, T>(slice) {
            Ok(_) => Some(Self::Mapped(Mapped { file: Arc::clone(file), bytes })),
            Err(bytemuck::PodCastError::TargetAlignmentGreaterAndInputNotAligned) => {
                Some(Self::Owned(bytemuck::allocation::pod_collect_to_vec(slice)))
            }
            Err(_) => None,
        }
    }
}

impl<T: AnyBitPattern + NoUninit> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Owned(elements) => elements,
            Self::Mapped(Mapped { file, bytes }) => {
                let slice = file.as_slice_bytes(bytes.start, bytes.end - bytes.start);
                bytemuck::cast_slice(slice.expect("a read-only map keeps the range it was checked for"))
            }
        }
    }
}

impl<T> From<Vec<T>> for Array<T> {
    fn from(elements: Vec<T>) -> Self {
        Self::Owned(elements)
    }
}

impl<T: AnyBitPattern + NoUninit + fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: AnyBitPattern + NoUninit + PartialEq> PartialEq for Array<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
