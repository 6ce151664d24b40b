//! symdiff-groups
