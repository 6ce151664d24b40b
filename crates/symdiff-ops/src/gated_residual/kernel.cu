// Forward: one thread per vector of outputs. Backward: one block per sample; a thread takes one vector of channels in every few rows.
//
// `gate` points at the gate's first column; its rows are `stride` apart, or 0 when all samples share one.
#include "kernel.cuh"

template <typename T, int W>
__device__ void forward(const T* __restrict__ x, const T* __restrict__ y, const T* __restrict__ gate, const unsigned* __restrict__ owners,
                        T* __restrict__ z, int nodes, int width, int stride) {
  const int vectors = width / W;
  for (wide i = thread_index(); i < (wide)nodes * vectors; i += thread_count()) {
    const auto a = get<T, W>(x, i), b = get<T, W>(y, i);
    const auto g = get<T, W>(gate + (wide)owners[i / vectors] * stride, i % vectors);
    Pack<T, W> out;
#pragma unroll
    for (int k = 0; k < W; ++k) put(out.at[k], get(a.at[k]) + get(g.at[k]) * get(b.at[k]));
    put(z, i, out);
  }
}

template <typename T, int W>
__device__ void backward(const T* __restrict__ y, const T* __restrict__ gate, const T* __restrict__ dz, const unsigned* __restrict__ offsets,
                         T* __restrict__ dy, T* __restrict__ dgate, int width, int stride) {
  DYNAMIC_SHARED(sums);
  const int sample = blockIdx.x, vectors = width / W, lanes = min(vectors, (int)blockDim.x), groups = blockDim.x / lanes;
  const int group = threadIdx.x / lanes, start = offsets[sample], end = offsets[sample + 1];
  for (int vector = threadIdx.x % lanes; vector < vectors && group < groups; vector += lanes) {
    const auto factor = get<T, W>(gate + (wide)sample * stride, vector);
    float sum[W] = {};
#pragma unroll 2
    for (int row = start + group; row < end; row += groups) {
      const auto up = get<T, W>(dz, (wide)row * vectors + vector), value = get<T, W>(y, (wide)row * vectors + vector);
      Pack<T, W> out;
#pragma unroll
      for (int k = 0; k < W; ++k) {
        put(out.at[k], get(factor.at[k]) * get(up.at[k]));
        sum[k] += get(up.at[k]) * get(value.at[k]);
      }
      put(dy, (wide)row * vectors + vector, out);
    }
#pragma unroll
    for (int k = 0; k < W; ++k) sums[group * width + vector * W + k] = sum[k];
  }
  __syncthreads();
  for (int channel = threadIdx.x; channel < width; channel += blockDim.x) {
    float sum = 0.f;
    for (int k = 0; k < groups; ++k) sum += sums[k * width + channel];
    put(dgate[(wide)sample * width + channel], sum);
  }
}

#define DEFINE(S, T) \
  KERNEL(gated_residual_forward_##S, \
         (const T* x, const T* y, const T* m, const unsigned* owners, T* z, int nodes, int width, int first, int stride), \
         if (whole(width, x, y, m + first, z) && stride % LANES<T> == 0) \
           forward<T, LANES<T>>(x, y, m + first, owners, z, nodes, width, stride); \
         else forward<T, 1>(x, y, m + first, owners, z, nodes, width, stride)) \
  KERNEL(gated_residual_backward_##S, \
         (const T* y, const T* m, const T* dz, const unsigned* offsets, T* dy, T* dgate, int width, int first, int stride), \
         if (whole(width, y, m + first, dz, dy) && stride % LANES<T> == 0) \
           backward<T, LANES<T>>(y, m + first, dz, offsets, dy, dgate, width, stride); \
         else backward<T, 1>(y, m + first, dz, offsets, dy, dgate, width, stride))
PER_TYPE(DEFINE)
#undef DEFINE
