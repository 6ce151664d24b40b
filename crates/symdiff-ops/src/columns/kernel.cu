// Up to MOST matrices side by side, blockIdx.y counting them.
#include "kernel.cuh"

template <typename T, int W> __device__ void joined(const T* __restrict__ from, T* __restrict__ to, int rows, wide width, wide place, int total) {
  const wide vectors = width / W, across = total / W, first = place / W;
  for (wide i = thread_index(); i < rows * vectors; i += thread_count()) {
    put(to, i / vectors * across + first + i % vectors, get<T, W>(from, i));
  }
}

#define DEFINE(S, T) \
  KERNEL(columns_joined_##S, (Pointers from, Counts widths, Counts places, T* to, int rows, int total), \
         const T* part = (const T*)from.at[blockIdx.y]; const wide width = widths.at[blockIdx.y], place = places.at[blockIdx.y]; \
         if (whole(total, part, to) && width % LANES<T> == 0 && place % LANES<T> == 0) \
           joined<T, LANES<T>>(part, to, rows, width, place, total); \
         else joined<T, 1>(part, to, rows, width, place, total))
PER_TYPE(DEFINE)
#undef DEFINE
