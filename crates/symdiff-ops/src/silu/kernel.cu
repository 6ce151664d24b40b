// One thread a vector of entries.
#include "kernel.cuh"

template <typename T, int W> __device__ void forward(const T* __restrict__ x, T* __restrict__ y, int count) {
  for (wide i = thread_index(); i < count / W; i += thread_count()) {
    const auto in = get<T, W>(x, i);
    Pack<T, W> out;
#pragma unroll
    for (int k = 0; k < W; ++k) put(out.at[k], get(in.at[k]) * sigmoid(get(in.at[k])));
    put(y, i, out);
  }
}

template <typename T, int W> __device__ void backward(const T* __restrict__ x, const T* __restrict__ dy, T* __restrict__ dx, int count) {
  for (wide i = thread_index(); i < count / W; i += thread_count()) {
    const auto in = get<T, W>(x, i), up = get<T, W>(dy, i);
    Pack<T, W> out;
#pragma unroll
    for (int k = 0; k < W; ++k) put(out.at[k], get(up.at[k]) * silu_slope(get(in.at[k]), sigmoid(get(in.at[k]))));
    put(dx, i, out);
  }
}

#define DEFINE(S, T) \
  KERNEL(silu_forward_##S, (const T* x, T* y, int count), \
         if (whole(count, x, y)) forward<T, LANES<T>>(x, y, count); else forward<T, 1>(x, y, count)) \
  KERNEL(silu_backward_##S, (const T* x, const T* dy, T* dx, int count), \
         if (whole(count, x, dy, dx)) backward<T, LANES<T>>(x, dy, dx, count); else backward<T, 1>(x, dy, dx, count))
PER_TYPE(DEFINE)
#undef DEFINE
