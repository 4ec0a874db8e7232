/* A DLL with one of everything that a PE reader meets: see build.sh. */
__declspec(dllimport) unsigned long GetTickCount(void);
__declspec(dllimport) void OrdinalOnly(void);

int exported_data = 42;

int add(int left, int right) { return left + right; }

/* Calls others, so that x64 gives it unwind data. */
unsigned long ticks(void) {
    OrdinalOnly();
    return GetTickCount() + 1;
}

int by_ordinal_only(void) { return add(40, 2); }

int DllMain(void *module, unsigned long reason, void *reserved) {
    return module != 0 || reason != 0 || reserved != 0;
}
