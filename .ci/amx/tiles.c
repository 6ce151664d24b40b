/* Switches on the state of AMX's tiles, which a kernel does itself on a processor that has XFD. The emulated one has none. */
#include <linux/kernel.h>
#include <linux/module.h>

static int __init switch_on(void)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	asm volatile("xsetbv" : : "a"(low | 3u << 17), "d"(high), "c"(0));
	return 0;
}

module_init(switch_on);
MODULE_DESCRIPTION("The state of AMX's tiles");
MODULE_LICENSE("Dual MIT/GPL");
