// Forward: one thread a vector of outputs. Backward: one thread a channel of a sample, down the sample's rows.
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

template <typename T>
__device__ void backward(const T* __restrict__ y, const T* __restrict__ gate, const T* __restrict__ dz, const unsigned* __restrict__ offsets,
                         T* __restrict__ dy, T* __restrict__ dgate, int width, int stride) {
  const int sample = blockIdx.y, channel = thread_index();
  if (channel >= width) return;
  const float factor = get(gate[(wide)sample * stride + channel]);
  float sum = 0.f;
#pragma unroll 4
  for (unsigned row = offsets[sample]; row < offsets[sample + 1]; ++row) {
    const wide at = (wide)row * width + channel;
    const float up = get(dz[at]);
    put(dy[at], factor * up);
    sum += up * get(y[at]);
  }
  put(dgate[(wide)sample * width + channel], sum);
}

#define DEFINE(S, T) \
  KERNEL(gated_residual_forward_##S, \
         (const T* x, const T* y, const T* m, const unsigned* owners, T* z, int nodes, int width, int first, int stride), \
         if (whole(width, x, y, m + first, z) && stride % LANES<T> == 0) \
           forward<T, LANES<T>>(x, y, m + first, owners, z, nodes, width, stride); \
         else forward<T, 1>(x, y, m + first, owners, z, nodes, width, stride)) \
  KERNEL(gated_residual_backward_##S, \
         (const T* y, const T* m, const T* dz, const unsigned* offsets, T* dy, T* dgate, int width, int first, int stride), \
         backward(y, m + first, dz, offsets, dy, dgate, width, stride))
PER_TYPE(DEFINE)
#undef DEFINE
