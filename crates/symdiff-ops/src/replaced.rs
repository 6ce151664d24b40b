//! Thread-local values that are replaced for a while.

use std::cell::Cell;
use std::thread::LocalKey;

/// What a thread-local value was before; it gets this back when the guard is dropped, also by a panic.
pub(crate) struct Replaced<T: Default + 'static> {
    key: &'static LocalKey<Cell<T>>,
    before: T,
}

impl<T: Default> Replaced<T> {
    pub(crate) fn by(key: &'static LocalKey<Cell<T>>, value: T) -> Self {
        Self { key, before: key.replace(value) }
    }
}

impl<T: Default> Drop for Replaced<T> {
    fn drop(&mut self) {
        self.key.set(std::mem::take(&mut self.before));
    }
}
