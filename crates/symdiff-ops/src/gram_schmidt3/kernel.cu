// One thread a matrix, in f64.
#include "kernel.cuh"

struct Vector {
  double x, y, z;
};
__device__ inline double dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
__device__ inline Vector plus(Vector a, double factor, Vector b) { return {a.x + factor * b.x, a.y + factor * b.y, a.z + factor * b.z}; }
__device__ inline Vector scaled(Vector a, double factor) { return {a.x * factor, a.y * factor, a.z * factor}; }
__device__ inline Vector cross(Vector a, Vector b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }

struct Triple {
  Vector u, v, w;
};
template <typename T> __device__ inline Vector read(const T* m, int first, int step) {
  return {get(m[first]), get(m[first + step]), get(m[first + 2 * step])};
}
// The vectors are columns, or rows.
template <typename T> __device__ inline Triple read(const T* m, int rows) {
  const int between = rows ? 3 : 1, step = rows ? 1 : 3;
  return {read(m, 0, step), read(m, between, step), read(m, 2 * between, step)};
}
template <typename T> __device__ inline void write(T* m, int first, int step, Vector a) {
  put(m[first], (float)a.x);
  put(m[first + step], (float)a.y);
  put(m[first + 2 * step], (float)a.z);
}
template <typename T> __device__ inline void write(T* m, int rows, Triple a) {
  const int between = rows ? 3 : 1, step = rows ? 1 : 3;
  write(m, 0, step, a.u);
  write(m, between, step, a.v);
  write(m, 2 * between, step, a.w);
}

__device__ inline Triple orthonormalised(Triple a) {
  const Vector u = scaled(a.u, 1.0 / sqrt(dot(a.u, a.u)));
  Vector v = plus(a.v, -dot(a.v, u), u);
  v = plus(v, -dot(v, u), u);
  v = scaled(v, 1.0 / sqrt(dot(v, v)));
  const Vector w = cross(u, v);
  return {u, v, dot(w, a.w) < 0.0 ? scaled(w, -1.0) : w};
}

// dA = (dQ + Q·S)·R⁻ᵀ, solved backwards, with S the symmetric matrix whose lower triangle is that of −dQᵀ·Q.
__device__ inline Triple gradient(Triple a, Triple d) {
  const Triple q = orthonormalised(a);
  const double vu = dot(d.v, q.u), wu = dot(d.w, q.u), wv = dot(d.w, q.v);
  Vector w = plus(plus(plus(d.w, -wu, q.u), -wv, q.v), -dot(d.w, q.w), q.w);
  w = scaled(w, 1.0 / dot(q.w, a.w));
  Vector v = plus(plus(plus(d.v, -vu, q.u), -dot(d.v, q.v), q.v), -wv, q.w);
  v = scaled(plus(v, -dot(q.v, a.w), w), 1.0 / dot(q.v, a.v));
  Vector u = plus(plus(plus(d.u, -dot(d.u, q.u), q.u), -vu, q.v), -wu, q.w);
  u = scaled(plus(plus(u, -dot(q.u, a.v), v), -dot(q.u, a.w), w), 1.0 / dot(q.u, a.u));
  return {u, v, w};
}

#define DEFINE(S, T) \
  KERNEL(gram_schmidt3_forward_##S, (const T* a, T* q, int count, int rows), \
         const wide i = thread_index(); if (i < count) write(q + 9 * i, rows, orthonormalised(read(a + 9 * i, rows)))) \
  KERNEL(gram_schmidt3_backward_##S, (const T* a, const T* dq, T* da, int count, int rows), const wide i = thread_index(); \
         if (i < count) write(da + 9 * i, rows, gradient(read(a + 9 * i, rows), read(dq + 9 * i, rows))))
PER_TYPE(DEFINE)
#undef DEFINE
