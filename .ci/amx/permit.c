/* Grants the use of tiles in the place of a kernel that does not know that there are any; says so, as a sign that the tests use them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long number, ...)
{
	va_list given;
	long result;

	va_start(given, number);
	long a = va_arg(given, long), b = va_arg(given, long), c = va_arg(given, long);
	register long d asm("r10") = va_arg(given, long);
	register long e asm("r8") = va_arg(given, long);
	register long f asm("r9") = va_arg(given, long);
	va_end(given);
	if (number == SYS_arch_prctl && a == 0x1023) {
		static const char said[] = "(tiles of AMX are used) ";
		return write(2, said, sizeof said - 1) < 0;
	}
	asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(d), "r"(e), "r"(f) : "rcx", "r11", "memory");
	if (result < 0 && result > -4096) {
		errno = -result;
		return -1;
	}
	return result;
}
