// Sums over the rows of a matrix, in two passes of a fixed order: the same bits every time.
#include "kernel.cuh"

// Slice blockIdx.y of the rows: one thread a column.
template <typename T> __device__ void partial(const T* __restrict__ x, float* __restrict__ sums, int rows, int width) {
  const int column = thread_index(), share = (rows + gridDim.y - 1) / gridDim.y;
  if (column >= width) return;
  const int first = blockIdx.y * share, end = min(first + share, rows);
  float sum = 0.f;
#pragma unroll 4
  for (int row = first; row < end; ++row) sum += get(x[(wide)row * width + column]);
  sums[(wide)blockIdx.y * width + column] = sum;
}

#define DEFINE(S, T) \
  KERNEL(column_sums_partial_##S, (const T* x, float* sums, int rows, int width), partial(x, sums, rows, width))
PER_TYPE(DEFINE)
#undef DEFINE

template <typename T> __device__ void total(const float* __restrict__ sums, T* __restrict__ y, int rows, int width) {
  const int column = thread_index();
  if (column >= width) return;
  float sum = 0.f;
#pragma unroll 4
  for (int row = 0; row < rows; ++row) sum += sums[(wide)row * width + column];
  put(y[column], sum);
}

#define DEFINE(S, T) KERNEL(column_sums_total_##S, (const float* sums, T* y, int rows, int width), total(sums, y, rows, width))
PER_TYPE(DEFINE)
#undef DEFINE
