// A host stand-in for the part of CUDA that the kernels use.
//
// Blocks run one after the other; each thread of a block is a fibre, and fibres change only at barriers and warp exchanges. A run is
// therefore deterministic, and a run in another order of threads gives other results exactly where a barrier is missing. Shared memory
// starts as NaN. A barrier that some threads never reach, or an exchange that some lanes never reach, ends the program with a message.
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define SHARED static
#define DYNAMIC_SHARED(name) float* name = emulator::shared
#define REGISTER(name) static const bool registered_##name = emulator::enter(#name, name);

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};
struct __nv_bfloat16 {
  uint16_t bits;
};
inline float __bfloat162float(__nv_bfloat16 x) {
  const uint32_t wide = (uint32_t)x.bits << 16;
  float value;
  memcpy(&value, &wide, 4);
  return value;
}
// To nearest, ties to even.
inline __nv_bfloat16 __float2bfloat16_rn(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  if (x != x) return {(uint16_t)(bits >> 16 | 0x40)};
  return {(uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16)};
}

using std::min;

namespace emulator {

enum class Waits { no, block, warp };
// Starts as a context; later switches are jumps, which cost no system call.
struct Fibre {
  ucontext_t context;
  jmp_buf resume;
  bool started = false;
  std::vector<char> stack;
  dim3 thread;
  unsigned index = 0;
  Waits waits = Waits::no;
  bool done = false;
};

constexpr size_t SHARED_FLOATS = 1 << 16;
inline float shared[SHARED_FLOATS];
inline std::vector<Fibre> fibres;
inline std::vector<uint64_t> exchanged;
inline Fibre* current;
inline jmp_buf scheduler;
inline std::function<void()> body;
inline dim3 block_index, block_size, grid_size;

[[noreturn]] inline void fail(const char* what) {
  fprintf(stderr, "emulator: %s (block %u, %u, %u)\n", what, block_index.x, block_index.y, block_index.z);
  abort();
}
inline void wait(Waits kind) {
  Fibre* me = current;
  me->waits = kind;
  if (_setjmp(me->resume) == 0) _longjmp(scheduler, 1);
}
inline void start() {
  body();
  current->done = true;
  _longjmp(scheduler, 1);
}
__attribute__((noinline)) inline void resume(Fibre& fibre) {
  current = &fibre;
  if (_setjmp(scheduler) != 0) return;
  if (fibre.started) _longjmp(fibre.resume, 1);
  fibre.started = true;
  setcontext(&fibre.context);
}

inline void prepare(unsigned count) {
  if (fibres.size() < count) fibres.resize(count);
  exchanged.assign(count, 0);
  for (unsigned i = 0; i < count; ++i) {
    Fibre& fibre = fibres[i];
    fibre.stack.resize(64 << 10);
    fibre.index = i;
    fibre.started = fibre.done = false;
    fibre.waits = Waits::no;
    fibre.thread = {i, 0, 0};
    getcontext(&fibre.context);
    fibre.context.uc_stack.ss_sp = fibre.stack.data();
    fibre.context.uc_stack.ss_size = fibre.stack.size();
    fibre.context.uc_link = nullptr;
    makecontext(&fibre.context, start, 0);
  }
}

// Orders: 0 forwards, 1 backwards, others shuffled.
inline std::vector<unsigned> sequence(unsigned count, unsigned order) {
  std::vector<unsigned> result(count);
  for (unsigned i = 0; i < count; ++i) result[i] = order == 1 ? count - 1 - i : i;
  uint64_t state = order;
  for (unsigned i = count; order > 1 && i-- > 1;) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    std::swap(result[i], result[(state >> 33) % (i + 1)]);
  }
  return result;
}

// Lets every warp go on whose lanes have all arrived, else the block if all threads have; true while any thread is left.
inline bool release(unsigned count) {
  unsigned done = 0, at_barrier = 0;
  bool moved = false;
  for (unsigned first = 0; first < count; first += 32) {
    const unsigned end = first + 32 < count ? first + 32 : count;
    unsigned at_exchange = 0;
    for (unsigned i = first; i < end; ++i) {
      done += fibres[i].done;
      at_barrier += !fibres[i].done && fibres[i].waits == Waits::block;
      at_exchange += !fibres[i].done && fibres[i].waits == Waits::warp;
    }
    if (at_exchange == end - first) {
      for (unsigned i = first; i < end; ++i) fibres[i].waits = Waits::no;
      moved = true;
    }
  }
  if (done == count) return false;
  if (moved) return true;
  if (at_barrier + done != count) fail("a warp exchange that not every lane of the warp reached");
  if (done > 0) fail("a block barrier that some threads never reached");
  for (unsigned i = 0; i < count; ++i) fibres[i].waits = Waits::no;
  return true;
}

inline void run_block(unsigned order) {
  const unsigned count = block_size.x;
  prepare(count);
  const std::vector<unsigned> threads = sequence(count, order);
  do {
    for (unsigned i : threads) {
      if (fibres[i].done || fibres[i].waits != Waits::no) continue;
      resume(fibres[i]);
    }
  } while (release(count));
}

// Two switches: no lane overwrites what another has yet to read.
template <typename V> V shuffle(V value, unsigned lane) {
  static_assert(sizeof(V) <= 8, "at most eight bytes are exchanged");
  memcpy(&exchanged[current->index], &value, sizeof(V));
  wait(Waits::warp);
  V result;
  memcpy(&result, &exchanged[(current->index & ~31u) + lane], sizeof(V));
  wait(Waits::warp);
  return result;
}

struct Entry {
  std::vector<size_t> sizes;
  std::function<void(void**)> call;
};
inline std::map<std::string, Entry>& entries() {
  static std::map<std::string, Entry> table;
  return table;
}
template <typename... A, size_t... I> void call(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
  kernel(*static_cast<std::remove_const_t<A>*>(arguments[I])...);
}
template <typename... A> bool enter(const char* name, void (*kernel)(A...)) {
  entries()[name] = {{sizeof(A)...}, [kernel](void** arguments) { call(kernel, arguments, std::index_sequence_for<A...>{}); }};
  return true;
}

}  // namespace emulator

#define threadIdx (emulator::current->thread)
#define blockIdx (emulator::block_index)
#define blockDim (emulator::block_size)
#define gridDim (emulator::grid_size)
inline void __syncthreads() { emulator::wait(emulator::Waits::block); }
inline void __threadfence() {}
inline unsigned atomicAdd(unsigned* at, unsigned value) {
  const unsigned before = *at;
  *at += value;
  return before;
}
inline void __syncwarp() { emulator::wait(emulator::Waits::warp); }
template <typename V> V __shfl_xor_sync(unsigned, V value, int mask) { return emulator::shuffle(value, (emulator::current->index & 31u) ^ mask); }
