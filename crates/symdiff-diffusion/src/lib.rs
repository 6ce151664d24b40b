//! symdiff-diffusion
