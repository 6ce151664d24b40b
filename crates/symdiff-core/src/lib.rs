//! symdiff-core
