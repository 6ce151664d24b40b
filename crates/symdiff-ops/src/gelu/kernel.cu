// One thread a vector of entries.
#include "kernel.cuh"

// The sigmoid of 2u = x·(LINEAR + CUBIC·x²).
constexpr float LINEAR = 1.5957691216f, CUBIC = 0.0713548163f;
__device__ inline float gate(float x) { return sigmoid(x * (LINEAR + CUBIC * x * x)); }

// The derivative, with s the gate; beyond 20 it is 0 or 1. Comparisons are false for NaN, which then stays.
__device__ inline float slope(float x, float s) {
  x = x > 20.f ? 20.f : x < -20.f ? -20.f : x;
  return s * (1.f + x * (1.f - s) * (LINEAR + 3.f * CUBIC * x * x));
}

template <typename T, int W> __device__ void forward(const T* __restrict__ x, T* __restrict__ y, int count) {
  for (wide i = thread_index(); i < count / W; i += thread_count()) {
    const auto in = get<T, W>(x, i);
    Pack<T, W> out;
#pragma unroll
    for (int k = 0; k < W; ++k) put(out.at[k], get(in.at[k]) * gate(get(in.at[k])));
    put(y, i, out);
  }
}

template <typename T, int W>
__device__ void replayed(const T* __restrict__ x, const T* __restrict__ dy, T* __restrict__ y, T* __restrict__ dx, int count) {
  for (wide i = thread_index(); i < count / W; i += thread_count()) {
    const auto in = get<T, W>(x, i), up = get<T, W>(dy, i);
    Pack<T, W> out, back;
#pragma unroll
    for (int k = 0; k < W; ++k) {
      const float s = gate(get(in.at[k]));
      put(out.at[k], get(in.at[k]) * s);
      put(back.at[k], get(up.at[k]) * slope(get(in.at[k]), s));
    }
    put(y, i, out);
    put(dx, i, back);
  }
}

#define DEFINE(S, T) \
  KERNEL(gelu_forward_##S, (const T* x, T* y, int count), \
         if (whole(count, x, y)) forward<T, LANES<T>>(x, y, count); else forward<T, 1>(x, y, count)) \
  KERNEL(gelu_replayed_##S, (const T* x, const T* dy, T* y, T* dx, int count), \
         if (whole(count, x, dy, y, dx)) replayed<T, LANES<T>>(x, dy, y, dx, count); else replayed<T, 1>(x, dy, y, dx, count))
PER_TYPE(DEFINE)
#undef DEFINE
