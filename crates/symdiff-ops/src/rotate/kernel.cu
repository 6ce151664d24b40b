// Forward: one thread per component. The matrix's gradient: one warp per sample.
#include "kernel.cuh"

// Where the entry lies that takes component c of x to component a of y.
__device__ inline int entry(int a, int c, int inverse) { return inverse ? 3 * c + a : 3 * a + c; }

template <typename T>
__device__ void forward(const T* __restrict__ x, const T* __restrict__ g, const unsigned* __restrict__ owners, T* __restrict__ y, int nodes,
                        int inverse) {
  const wide i = thread_index();
  if (i >= (wide)nodes * 3) return;
  const wide node = i / 3;
  const T* own = g + (wide)owners[node] * 9;
  float sum = 0.f;
  for (int c = 0; c < 3; ++c) sum += get(x[3 * node + c]) * get(own[entry(i % 3, c, inverse)]);
  put(y[i], sum);
}

template <typename T>
__device__ void matrix(const T* __restrict__ x, const T* __restrict__ dy, const unsigned* __restrict__ offsets, T* __restrict__ dg,
                       int samples, int inverse) {
  const int lane = threadIdx.x % 32;
  const wide sample = thread_index() / 32;
  if (sample >= samples) return;
  float sums[9] = {};
  for (wide row = offsets[sample] + lane; row < offsets[sample + 1]; row += 32)
#pragma unroll
    for (int k = 0; k < 9; ++k) sums[k] += get(dy[3 * row + k / 3]) * get(x[3 * row + k % 3]);
#pragma unroll
  for (int k = 0; k < 9; ++k) {
    const float sum = warp_sum(sums[k]);
    if (lane == 0) put(dg[9 * sample + entry(k / 3, k % 3, inverse)], sum);
  }
}

#define DEFINE(S, T) \
  KERNEL(rotate_forward_##S, (const T* x, const T* g, const unsigned* owners, T* y, int nodes, int inverse), \
         forward(x, g, owners, y, nodes, inverse)) \
  KERNEL(rotate_matrix_##S, (const T* x, const T* dy, const unsigned* offsets, T* dg, int samples, int inverse), \
         matrix(x, dy, offsets, dg, samples, inverse))
PER_TYPE(DEFINE)
#undef DEFINE
