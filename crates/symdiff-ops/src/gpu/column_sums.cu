// Sums over the rows of a matrix, in a fixed order: the same bits every time.
//
// A block sums 32 columns of a slice of the rows, a lane each; of the blocks of the same columns, the last to finish adds up the slices.
#include "kernel.cuh"

constexpr int WARPS = 8;

template <typename T, typename U>
__device__ void column_sums(const T* __restrict__ x, U* __restrict__ y, float* slices, unsigned* finished, int rows, int width) {
  SHARED float sums[WARPS][32];
  SHARED bool last;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, column = blockIdx.x * 32 + lane;
  const int share = (rows + gridDim.y - 1) / gridDim.y, end = min((int)(blockIdx.y + 1) * share, rows);
  float sum = 0.f;
  if (column < width)
#pragma unroll 8
    for (int row = blockIdx.y * share + warp; row < end; row += WARPS) sum += get(x[(wide)row * width + column]);
  sums[warp][lane] = sum;
  __syncthreads();
  if (warp == 0) {
    float total = 0.f;
    for (int w = 0; w < WARPS; ++w) total += sums[w][lane];
    if (column < width) slices[(wide)blockIdx.y * width + column] = total;
    __threadfence();
  }
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(finished + blockIdx.x, 1u) == gridDim.y - 1;
  __syncthreads();
  if (!last || warp > 0) return;
  if (lane == 0) finished[blockIdx.x] = 0;
  if (column >= width) return;
  // Other blocks wrote these: not to be read from what this multiprocessor happens to hold.
  const volatile float* written = slices;
  float total = 0.f;
  for (unsigned slice = 0; slice < gridDim.y; ++slice) total += written[(wide)slice * width + column];
  put(y[column], total);
}

#define DEFINE_TO(S, T, R, U) \
  KERNEL(column_sums_to_##R##_##S, (const T* x, U* y, float* slices, unsigned* finished, int rows, int width), \
         column_sums(x, y, slices, finished, rows, width))
#define DEFINE(S, T) DEFINE_TO(S, T, f32, float) DEFINE_TO(S, T, bf16, bf16)
PER_TYPE(DEFINE)
#undef DEFINE
