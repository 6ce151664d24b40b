// One warp per row. Backward: one block per sample, whose warps take its rows in turn, and whose threads then take the channels.
//
// `shift` and `scale` point at their first columns; their rows are `stride` apart, or 0 when all samples share one.
#include "kernel.cuh"

// The mean of what a row's entries exceed its first entry by, and 1/σ: the same for every lane.
struct Row {
  float first, mean, inverse;
  __device__ float normalised(float x) const { return (x - first - mean) * inverse; }
};

template <typename T> __device__ inline Row statistics(const T* x, int width, int lane) {
  const float first = get(x[0]);
  float sum = 0.f, squares = 0.f;
  for (int k = lane; k < width; k += 32) sum += get(x[k]) - first;
  const float mean = warp_sum(sum) / width;
  for (int k = lane; k < width; k += 32) {
    const float rest = get(x[k]) - first - mean;
    squares += rest * rest;
  }
  return {first, mean, 1.f / sqrtf(warp_sum(squares) / width + 1e-6f)};
}

template <typename T>
__device__ void forward(const T* __restrict__ x, const T* __restrict__ shift, const T* __restrict__ scale,
                        const unsigned* __restrict__ owners, T* __restrict__ y, int nodes, int width, int stride) {
  const int lane = threadIdx.x % 32;
  const wide node = thread_index() / 32;
  if (node >= nodes) return;
  const wide own = (wide)owners[node] * stride;
  const Row row = statistics(x + node * width, width, lane);
  for (int k = lane; k < width; k += 32) {
    const float n = row.normalised(get(x[node * width + k]));
    put(y[node * width + k], n * (1.f + get(scale[own + k])) + get(shift[own + k]));
  }
}

// With g = dy·(1 + scale): dx = (g − mean(g) − n·mean(g·n)) / σ, plus what comes past the norm.
template <typename T>
__device__ inline Row pulled_back(const T* x, const T* scale, const T* dy, const T* bypass, T* dx, int width, int lane) {
  const Row row = statistics(x, width, lane);
  float mean = 0.f, slope = 0.f;
  for (int k = lane; k < width; k += 32) {
    const float g = get(dy[k]) * (1.f + get(scale[k]));
    mean += g;
    slope += g * row.normalised(get(x[k]));
  }
  mean = warp_sum(mean) / width;
  slope = warp_sum(slope) / width;
  for (int k = lane; k < width; k += 32) {
    const float g = get(dy[k]) * (1.f + get(scale[k]));
    put(dx[k], (g - mean - slope * row.normalised(get(x[k]))) * row.inverse + (bypass ? get(bypass[k]) : 0.f));
  }
  return row;
}

// Rows of a sample whose statistics are kept at once.
constexpr int CHUNK = 64;

template <typename T>
__device__ void backward(const T* __restrict__ x, const T* __restrict__ scale, const T* __restrict__ dy, const T* __restrict__ bypass,
                         const unsigned* __restrict__ offsets, T* __restrict__ dx, float* __restrict__ sums, T* __restrict__ packed,
                         int width, int stride) {
  SHARED Row rows[CHUNK];
  const int sample = blockIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  const int start = offsets[sample], end = offsets[sample + 1];
  float* dshift = sums + (wide)sample * 2 * width;
  for (int first = start; first < end; first += CHUNK) {
    const int count = min(CHUNK, end - first);
    for (int r = warp; r < count; r += warps) {
      const wide at = (wide)(first + r) * width;
      const Row row = pulled_back(x + at, scale + (wide)sample * stride, dy + at, bypass ? bypass + at : bypass, dx + at, width, lane);
      if (lane == 0) rows[r] = row;
    }
    __syncthreads();
    for (int k = threadIdx.x; k < width; k += blockDim.x) {
      float shifts = first == start ? 0.f : dshift[k], scales = first == start ? 0.f : dshift[width + k];
#pragma unroll 4
      for (int r = 0; r < count; ++r) {
        const wide at = (wide)(first + r) * width + k;
        const float up = get(dy[at]);
        shifts += up;
        scales += up * rows[r].normalised(get(x[at]));
      }
      dshift[k] = shifts;
      dshift[width + k] = scales;
      put(packed[(wide)sample * 2 * width + k], shifts);
      put(packed[(wide)sample * 2 * width + width + k], scales);
    }
    __syncthreads();
  }
}

#define DEFINE(S, T) \
  KERNEL(ada_layer_norm_forward_##S, \
         (const T* x, const T* m, const unsigned* owners, T* y, int nodes, int width, int shift, int scale, int stride), \
         forward(x, m + shift, m + scale, owners, y, nodes, width, stride)) \
  KERNEL(ada_layer_norm_backward_##S, \
         (const T* x, const T* m, const T* dy, const T* bypass, const unsigned* offsets, T* dx, float* sums, T* packed, int width, int scale, \
          int stride), \
         backward(x, m + scale, dy, bypass, offsets, dx, sums, packed, width, stride))
PER_TYPE(DEFINE)
#undef DEFINE
