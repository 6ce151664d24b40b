// Called from Rust: runs a kernel by name. Returns 0; 1 where there is no such kernel; 2 where argument sizes or the block are wrong.
extern "C" int emulator_launch(const char* name, const unsigned* grid, unsigned threads, unsigned shared_bytes, void** arguments,
                               const size_t* sizes, size_t count, unsigned order) {
  const auto found = emulator::entries().find(name);
  if (found == emulator::entries().end()) return 1;
  if (found->second.sizes != std::vector<size_t>(sizes, sizes + count)) return 2;
  if (shared_bytes > sizeof emulator::shared || threads == 0 || threads > 1024) return 2;
  emulator::grid_size = {grid[0], grid[1], grid[2]};
  emulator::block_size = {threads, 1, 1};
  emulator::body = [&] { found->second.call(arguments); };
  dim3& block = emulator::block_index;
  for (block.z = 0; block.z < grid[2]; ++block.z)
    for (block.y = 0; block.y < grid[1]; ++block.y)
      for (block.x = 0; block.x < grid[0]; ++block.x) {
        for (unsigned i = 0; i < shared_bytes / 4; ++i) emulator::shared[i] = NAN;
        emulator::run_block(order);
      }
  return 0;
}
