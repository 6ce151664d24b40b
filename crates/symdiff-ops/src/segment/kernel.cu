// Reductions: one thread for each channel of a sample, down the sample's rows. Spreading: one thread per entry.
#include "kernel.cuh"

template <typename T> __device__ inline Number<T> add_up(const T* x, int start, int end, int width, int channel) {
  Number<T> sum = 0;
#pragma unroll 4
  for (int row = start; row < end; ++row) sum += get(x[(wide)row * width + channel]);
  return sum;
}

template <typename T>
__device__ void reduce(const T* __restrict__ x, const unsigned* __restrict__ offsets, T* __restrict__ y, int width, int mean) {
  const int sample = blockIdx.y, channel = thread_index();
  if (channel >= width) return;
  const int start = offsets[sample], end = offsets[sample + 1];
  put(y[(wide)sample * width + channel], add_up(x, start, end, width, channel) / (mean ? end - start : 1));
}

template <typename T>
__device__ void centre(const T* __restrict__ x, const unsigned* __restrict__ offsets, T* __restrict__ y, int width) {
  const int sample = blockIdx.y, channel = thread_index();
  if (channel >= width) return;
  const int start = offsets[sample], end = offsets[sample + 1];
  const Number<T> mean = add_up(x, start, end, width, channel) / (end - start);
  for (int row = start; row < end; ++row) put(y[(wide)row * width + channel], get(x[(wide)row * width + channel]) - mean);
}

template <typename T>
__device__ void scatter(const T* __restrict__ v, const unsigned* __restrict__ offsets, const unsigned* __restrict__ owners,
                        T* __restrict__ y, int nodes, int width, int stride, int mean) {
  for (wide i = thread_index(); i < (wide)nodes * width; i += thread_count()) {
    const unsigned sample = owners[i / width];
    const Number<T> value = get(v[(wide)sample * stride + i % width]);
    put(y[i], mean ? value / (offsets[sample + 1] - offsets[sample]) : value);
  }
}

#define DEFINE(S, T) \
  KERNEL(segment_reduce_##S, (const T* x, const unsigned* offsets, T* y, int width, int mean), reduce(x, offsets, y, width, mean)) \
  KERNEL(segment_centre_##S, (const T* x, const unsigned* offsets, T* y, int width), centre(x, offsets, y, width)) \
  KERNEL(segment_scatter_##S, \
         (const T* v, const unsigned* offsets, const unsigned* owners, T* y, int nodes, int width, int stride, int mean), \
         scatter(v, offsets, owners, y, nodes, width, stride, mean))
PER_TYPE_AND_F64(DEFINE)
#undef DEFINE
