// Shared by all kernels: number types, vectors, reductions, and the entry points.
//
// Storage is f32 or bf16, arithmetic is f32; the sums of likelihoods also take f64, and compute in it. nvcc compiles these files for the device, a
// host compiler for the emulator, so a kernel uses only what both have. All matrices are row-major.
#pragma once
#include <cstdint>
#ifdef EMULATE
#include "emulator.h"
#else
#include <cuda_bf16.h>
#define SHARED __shared__
#define DYNAMIC_SHARED(name) extern __shared__ float name[]
#define REGISTER(name)
#endif

using bf16 = __nv_bfloat16;
using wide = long long;

// An entry point. `PER_TYPE(DEFINE)` makes one of each storage type.
#define KERNEL(name, parameters, ...) \
  extern "C" __global__ void name parameters { __VA_ARGS__; } \
  REGISTER(name)
#define PER_TYPE(DEFINE) DEFINE(f32, float) DEFINE(bf16, bf16)
#define PER_TYPE_AND_F64(DEFINE) PER_TYPE(DEFINE) DEFINE(f64, double)

__device__ inline float get(float x) { return x; }
__device__ inline float get(bf16 x) { return __bfloat162float(x); }
__device__ inline double get(double x) { return x; }
__device__ inline void put(float& slot, float x) { slot = x; }
__device__ inline void put(bf16& slot, float x) { slot = __float2bfloat16_rn(x); }
__device__ inline void put(double& slot, double x) { slot = x; }
// What numbers of a storage type are computed in.
template <typename T> using Number = decltype(get(T()));

// W numbers moved at once.
template <typename T, int W> struct alignas(sizeof(T) * W) Pack { T at[W]; };
template <typename T> constexpr int LANES = 16 / sizeof(T);
template <typename T, int W> __device__ inline Pack<T, W> get(const T* x, wide index) { return reinterpret_cast<const Pack<T, W>*>(x)[index]; }
template <typename T, int W> __device__ inline void put(T* x, wide index, const Pack<T, W>& pack) { reinterpret_cast<Pack<T, W>*>(x)[index] = pack; }

// Whether rows of that many numbers can be moved sixteen bytes at a time.
template <typename T> __device__ inline bool whole(int width, const T* first) {
  return width % LANES<T> == 0 && reinterpret_cast<uintptr_t>(first) % 16 == 0;
}
template <typename T, typename... Rest> __device__ inline bool whole(int width, const T* first, const Rest*... rest) {
  return whole(width, first) && whole(width, rest...);
}

__device__ inline wide thread_index() { return (wide)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ inline wide thread_count() { return (wide)gridDim.x * blockDim.x; }

// Every lane of the warp must call these, and gets the result.
template <typename V> __device__ inline V warp_sum(V x) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(0xffffffffu, x, step);
  return x;
}
__device__ inline float warp_max(float x) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, step));
  return x;
}

__device__ inline float sigmoid(float x) { return 1.f / (1.f + expf(-x)); }
// The derivative of x·sigmoid(x), with s the sigmoid.
__device__ inline float silu_slope(float x, float s) { return s * (1.f + x * (1.f - s)); }

// Tensors of one launch: their pointers and sizes come as arguments, so nothing is uploaded.
constexpr int MOST = 64;
struct Pointers {
  void* at[MOST];
};
struct Counts {
  wide at[MOST];
};
