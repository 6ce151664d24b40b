//! symdiff-train
