//! symdiff
