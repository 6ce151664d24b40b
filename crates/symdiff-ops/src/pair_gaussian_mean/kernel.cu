// One block per node. Its threads first take the distances to a tile of neighbours, then one Gaussian each.
#include "kernel.cuh"

constexpr int TILE = 128;
// π as the source has it.
constexpr float ROOT = 2.506627230f;

struct Gaussian {
  float mean, inverse, height;
};
template <typename T> __device__ inline Gaussian gaussian(const T* means, const T* sigmas, int k) {
  const float width = fabsf(get(sigmas[k])) + 0.01f;
  return {get(means[k]), 1.f / width, 1.f / (ROOT * width)};
}
__device__ inline float bump(float z) { return expf(-0.5f * z * z); }

template <typename T> __device__ inline float distance(const T* x, wide i, wide j) {
  const float a = get(x[3 * i]) - get(x[3 * j]), b = get(x[3 * i + 1]) - get(x[3 * j + 1]), c = get(x[3 * i + 2]) - get(x[3 * j + 2]);
  return sqrtf(a * a + b * b + c * c);
}

// Distances from the block's node to nodes [first, first + TILE) of its sample.
template <typename T> __device__ inline int measure(float* tile, const T* x, wide node, int first, int end) {
  const int count = min(TILE, end - first);
  __syncthreads();
  for (int j = threadIdx.x; j < count; j += blockDim.x) tile[j] = distance(x, node, first + j);
  __syncthreads();
  return count;
}

template <typename T>
__device__ void forward(const T* __restrict__ x, const T* __restrict__ means, const T* __restrict__ sigmas,
                        const unsigned* __restrict__ offsets, const unsigned* __restrict__ owners, T* __restrict__ y, int features) {
  SHARED float tile[TILE];
  const int node = blockIdx.x, start = offsets[owners[node]], end = offsets[owners[node] + 1];
  for (int base = 0; base < features; base += blockDim.x) {
    const int k = base + threadIdx.x;
    const Gaussian g = gaussian(means, sigmas, min(k, features - 1));
    float sum = 0.f;
    for (int first = start; first < end; first += TILE) {
      const int count = measure(tile, x, node, first, end);
#pragma unroll 4
      for (int j = 0; j < count; ++j) sum += bump((tile[j] - g.mean) * g.inverse);
    }
    if (k < features) put(y[(wide)node * features + k], sum * (g.height / (end - start)));
  }
}

// The node's share of the gradients of μ and σ, [N][2·features].
template <typename T>
__device__ inline void shares(float* tile, const T* x, const T* means, const T* sigmas, const T* dy, int start, int end, float* packed,
                              int features) {
  const int node = blockIdx.x;
  for (int base = 0; base < features; base += blockDim.x) {
    const int k = base + threadIdx.x;
    const Gaussian g = gaussian(means, sigmas, min(k, features - 1));
    float firsts = 0.f, seconds = 0.f;
    for (int first = start; first < end; first += TILE) {
      const int count = measure(tile, x, node, first, end);
      for (int j = 0; j < count; ++j) {
        const float z = (tile[j] - g.mean) * g.inverse, p = bump(z);
        firsts += p * z;
        seconds += p * (z * z - 1.f);
      }
    }
    if (k >= features) continue;
    const float sigma = get(sigmas[k]), sign = sigma > 0.f ? 1.f : sigma < 0.f ? -1.f : 0.f;
    const float weight = get(dy[(wide)node * features + k]) * (g.height / (end - start)) * g.inverse;
    packed[(wide)node * 2 * features + k] = weight * firsts;
    packed[(wide)node * 2 * features + features + k] = weight * seconds * sign;
  }
}

// Warps take the neighbours in turn; lanes the Gaussians.
template <typename T>
__device__ inline void pull(const T* x, const T* means, const T* sigmas, const T* dy, int start, int end, T* dx, int features) {
  SHARED float pulls[3 * 32];
  const int node = blockIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  float sums[3] = {};
  for (int j = start + warp; j < end; j += warps) {
    const float d = distance(x, node, j);
    float slope = 0.f;
    for (int k = lane; k < features; k += 32) {
      const Gaussian g = gaussian(means, sigmas, k);
      const float z = (d - g.mean) * g.inverse, both = get(dy[(wide)node * features + k]) + get(dy[(wide)j * features + k]);
      slope -= both * g.height * g.inverse * z * bump(z);
    }
    slope = warp_sum(slope);
    const float factor = d > 0.f ? slope / (d * (end - start)) : 0.f;
#pragma unroll
    for (int axis = 0; axis < 3; ++axis) sums[axis] += factor * (get(x[3 * (wide)node + axis]) - get(x[3 * (wide)j + axis]));
  }
  if (lane == 0)
#pragma unroll
    for (int axis = 0; axis < 3; ++axis) pulls[3 * warp + axis] = sums[axis];
  __syncthreads();
  if (threadIdx.x >= 3) return;
  float sum = 0.f;
  for (int w = 0; w < warps; ++w) sum += pulls[3 * w + threadIdx.x];
  put(dx[3 * (wide)node + threadIdx.x], sum);
}

template <typename T>
__device__ void backward(const T* __restrict__ x, const T* __restrict__ means, const T* __restrict__ sigmas, const T* __restrict__ dy,
                         const unsigned* __restrict__ offsets, const unsigned* __restrict__ owners, T* __restrict__ dx,
                         float* __restrict__ packed, int features) {
  SHARED float tile[TILE];
  const int node = blockIdx.x, start = offsets[owners[node]], end = offsets[owners[node] + 1];
  shares(tile, x, means, sigmas, dy, start, end, packed, features);
  pull(x, means, sigmas, dy, start, end, dx, features);
}

#define DEFINE(S, T) \
  KERNEL(pair_gaussian_mean_forward_##S, \
         (const T* x, const T* means, const T* sigmas, const unsigned* offsets, const unsigned* owners, T* y, int features), \
         forward(x, means, sigmas, offsets, owners, y, features)) \
  KERNEL(pair_gaussian_mean_backward_##S, \
         (const T* x, const T* means, const T* sigmas, const T* dy, const unsigned* offsets, const unsigned* owners, T* dx, float* packed, \
          int features), \
         backward(x, means, sigmas, dy, offsets, owners, dx, packed, features))
PER_TYPE(DEFINE)
#undef DEFINE
