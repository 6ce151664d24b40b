// f32 to bf16, up to MOST tensors per launch; blockIdx.y counts them.
#include "kernel.cuh"

__device__ inline void rounded(const float* x, bf16* y, wide count) {
  for (wide i = thread_index(); i < count; i += thread_count()) put(y[i], x[i]);
}

KERNEL(rounded_bf16, (Pointers from, Pointers to, Counts counts),
       rounded((const float*)from.at[blockIdx.y], (bf16*)to.at[blockIdx.y], counts.at[blockIdx.y]))
