//! symdiff-mol
