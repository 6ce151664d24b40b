// One thread a vector of outputs. x is [rows, 2·width], y [rows, width].
#include "kernel.cuh"

template <typename T, int W> __device__ void forward(const T* __restrict__ x, T* __restrict__ y, int rows, int width) {
  const int vectors = width / W;
  for (wide i = thread_index(); i < (wide)rows * vectors; i += thread_count()) {
    const wide left = i / vectors * 2 * vectors + i % vectors;
    const auto a = get<T, W>(x, left), b = get<T, W>(x, left + vectors);
    Pack<T, W> out;
#pragma unroll
    for (int k = 0; k < W; ++k) put(out.at[k], get(a.at[k]) * sigmoid(get(a.at[k])) * get(b.at[k]));
    put(y, i, out);
  }
}

template <typename T, int W>
__device__ void replayed(const T* __restrict__ x, const T* __restrict__ dy, T* __restrict__ y, T* __restrict__ dx, int rows, int width) {
  const int vectors = width / W;
  for (wide i = thread_index(); i < (wide)rows * vectors; i += thread_count()) {
    const wide left = i / vectors * 2 * vectors + i % vectors;
    const auto a = get<T, W>(x, left), b = get<T, W>(x, left + vectors), up = get<T, W>(dy, i);
    Pack<T, W> out, da, db;
#pragma unroll
    for (int k = 0; k < W; ++k) {
      const float s = sigmoid(get(a.at[k]));
      put(out.at[k], get(a.at[k]) * s * get(b.at[k]));
      put(da.at[k], get(up.at[k]) * get(b.at[k]) * silu_slope(get(a.at[k]), s));
      put(db.at[k], get(up.at[k]) * get(a.at[k]) * s);
    }
    put(y, i, out);
    put(dx, left, da);
    put(dx, left + vectors, db);
  }
}

#define DEFINE(S, T) \
  KERNEL(swiglu_forward_##S, (const T* x, T* y, int rows, int width), \
         if (whole(width, x, y)) forward<T, LANES<T>>(x, y, rows, width); else forward<T, 1>(x, y, rows, width)) \
  KERNEL(swiglu_replayed_##S, (const T* x, const T* dy, T* y, T* dx, int rows, int width), \
         if (whole(width, x, dy, y, dx)) replayed<T, LANES<T>>(x, dy, y, dx, rows, width); \
         else replayed<T, 1>(x, dy, y, dx, rows, width))
PER_TYPE(DEFINE)
#undef DEFINE
