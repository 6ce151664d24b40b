//! symdiff-nets
