/* Images: headers, sections, exports, imports, CodeView, extraction, symbols of their modules. */
#include "check.h"

enum { EXPORTS_MAX = 64 };

static wvmi_architecture width_of(const struct forged_sample *sample)
{
    return sample->wow64 ? WVMI_ARCHITECTURE_X86 : WVMI_ARCHITECTURE_X64;
}

static wvmi_pe sample_pe(wvmi_session *session, const struct forged_sample *sample)
{
    wvmi_process process = process_of(forged_process_named(sample->process));
    wvmi_user_module module;
    wvmi_pe pe;
    CHECK_OK(wvmi_user_module_by_name(session, process, sample->name, width_of(sample), &module));
    CHECK_OK(wvmi_user_module_pe(session, module, &pe));
    CHECK(pe.base == sample->base && pe.space.kind == WVMI_SPACE_PROCESS);
    return pe;
}

static void headers_are_told(wvmi_session *session, wvmi_pe pe, const struct forged_sample *sample)
{
    wvmi_pe_details details;
    wvmi_pe_codeview_record record;
    wvmi_pe_section sections[8], section;
    wvmi_pe_section_iter *iter = NULL;
    size_t count = 0;
    CHECK_OK(wvmi_pe_info(session, pe, &details, sizeof details));
    CHECK(details.bits == (sample->wow64 ? 32U : 64U));
    CHECK(details.machine == (sample->wow64 ? 0x14cU : 0x8664U));
    CHECK(details.size_of_headers == 0x400 && details.size_of_image >= 0x5000);
    CHECK(details.directories[0].size != 0 && details.directories[2].size == 0);
    CHECK_OK(wvmi_pe_codeview(session, pe, &record, sizeof record));
    CHECK(strncmp(record.pdb, sample->name, 10) == 0 && record.age == 1);
    CHECK(record.pdb_length == strlen(record.pdb));
    CHECK_OK(wvmi_pe_section_iter_new(session, pe, &iter));
    CHECK_OK(wvmi_pe_section_iter_next(iter, &section, sizeof section));
    CHECK(strcmp(section.name, ".text") == 0 && section.rva == 0x1000);
    CHECK(section.file_offset == 0x400);
    CHECK_OK(wvmi_pe_section_iter_next_many(iter, sections, sizeof sections[0], COUNT(sections),
                                            &count));
    CHECK(count == details.section_count - 1 && strcmp(sections[0].name, ".rdata") == 0);
    CHECK_STATUS(wvmi_pe_section_iter_next(iter, &section, sizeof section), WVMI_END);
    wvmi_pe_section_iter_free(iter);
    CHECK_STATUS(wvmi_pe_info(session, pe, NULL, sizeof details), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_pe_codeview(session, pe, NULL, sizeof record), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_pe_section_iter_new(session, pe, NULL), WVMI_ERROR_NULL_ARGUMENT);
}

static int by_ordinal(const void *left, const void *right)
{
    const wvmi_pe_export *a = (const wvmi_pe_export *)left, *b = (const wvmi_pe_export *)right;
    return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

/* Prints the two export tables as objdump does. */
static void print_exports(const wvmi_pe_export *exports, size_t count, char *out, size_t room)
{
    wvmi_pe_export sorted[EXPORTS_MAX];
    size_t used = 0;
    memcpy(sorted, exports, count * sizeof *exports);
    qsort(sorted, count, sizeof *sorted, by_ordinal);
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(out + used, room - used, "[%4u] +base[%4u] ", sorted[i].ordinal,
                                 sorted[i].ordinal);
        used += sorted[i].forwarder
                    ? (size_t)snprintf(out + used, room - used, "Forwarder RVA -- %s\n",
                                       sorted[i].forwarder)
                    : (size_t)snprintf(out + used, room - used, "%x Export RVA\n", sorted[i].rva);
    }
    for (size_t i = 0; i < count; i++) {
        if (exports[i].name) {
            used += (size_t)snprintf(out + used, room - used, "[%4u] %s\n", exports[i].ordinal,
                                     exports[i].name);
        }
    }
}

static void exports_are_those_of_objdump(wvmi_session *session, wvmi_pe pe,
                                         const struct forged_sample *sample)
{
    wvmi_pe_export exports[EXPORTS_MAX], one;
    wvmi_pe_export_iter *iter = NULL;
    char printed[4096];
    size_t count = 0;
    CHECK_OK(wvmi_pe_export_iter_new(session, pe, &iter));
    CHECK_OK(
        wvmi_pe_export_iter_next_many(iter, exports, sizeof exports[0], COUNT(exports), &count));
    print_exports(exports, count, printed, sizeof printed);
    CHECK(strcmp(printed, sample->exports) == 0);
    CHECK(exports[0].address == pe.base + exports[0].rva);
    CHECK_STATUS(wvmi_pe_export_iter_next(iter, &one, sizeof one), WVMI_END);
    wvmi_pe_export_iter_free(iter);
    CHECK_OK(wvmi_pe_export_iter_new(session, pe, &iter));
    CHECK_OK(wvmi_pe_export_iter_next(iter, &one, sizeof one));
    CHECK(strcmp(one.name, "add") == 0 && one.name_length == 3 && one.forwarder == NULL);
    CHECK_STATUS(wvmi_pe_export_iter_next(iter, NULL, sizeof one), WVMI_ERROR_NULL_ARGUMENT);
    wvmi_pe_export_iter_free(iter);
}

static void imports_are_told(wvmi_session *session, wvmi_pe pe)
{
    wvmi_pe_import imports[8], one;
    wvmi_pe_import_iter *iter = NULL;
    size_t count = 0;
    CHECK_OK(wvmi_pe_import_iter_new(session, pe, &iter));
    CHECK_OK(wvmi_pe_import_iter_next(iter, &one, sizeof one));
    CHECK(strcmp(one.module, "KERNEL32.dll") == 0 && strcmp(one.name, "GetTickCount") == 0);
    CHECK(one.slot == pe.base + one.slot_rva && one.slot_rva != 0);
    CHECK_OK(
        wvmi_pe_import_iter_next_many(iter, imports, sizeof imports[0], COUNT(imports), &count));
    CHECK(count == 1 && strcmp(imports[0].module, "other.dll") == 0);
    CHECK(imports[0].name == NULL && imports[0].ordinal == 7);
    CHECK_STATUS(wvmi_pe_import_iter_next(iter, &one, sizeof one), WVMI_END);
    wvmi_pe_import_iter_free(iter);
}

static void images_are_extracted(wvmi_session *session, wvmi_pe pe,
                                 const struct forged_sample *sample)
{
    wvmi_pe_missing missing[4];
    wvmi_pe_missing_iter *iter = NULL;
    size_t length = 0, count = 0;
    uint8_t *bytes;
    CHECK_STATUS(wvmi_pe_extract(session, pe, WVMI_PE_LAYOUT_FILE, NULL, 0, &length),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(length == sample->file_size);
    bytes = (uint8_t *)malloc(length);
    memset(bytes, 0xaa, length);
    CHECK_STATUS(wvmi_pe_extract(session, pe, WVMI_PE_LAYOUT_FILE, bytes, 0x400, NULL),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(bytes[0] == 'M' && bytes[1] == 'Z' && bytes[0x400] == 0xaa);
    CHECK_OK(wvmi_pe_extract(session, pe, WVMI_PE_LAYOUT_FILE, bytes, length, &length));
    CHECK(bytes[0x400] == 0 && bytes[0x5ff] == 0 && bytes[0x600 + 0x1c] == 'R');
    free(bytes);
    CHECK_OK(wvmi_pe_missing_iter_new(session, pe, WVMI_PE_LAYOUT_FILE, &iter));
    CHECK_OK(wvmi_pe_missing_iter_next(iter, missing, sizeof missing[0]));
    CHECK(missing[0].offset == 0x400 && missing[0].length == 0x200);
    CHECK(missing[0].fault == WVMI_FAULT_PROTOTYPE);
    wvmi_pe_missing_iter_free(iter);
    CHECK_OK(wvmi_pe_missing_iter_new(session, pe, WVMI_PE_LAYOUT_MEMORY, &iter));
    CHECK_OK(
        wvmi_pe_missing_iter_next_many(iter, missing, sizeof missing[0], COUNT(missing), &count));
    CHECK(count == 2 && missing[0].offset == 0x1000 && missing[1].offset == 0x3000);
    CHECK(missing[1].length == 0x1000);
    CHECK_STATUS(wvmi_pe_missing_iter_next(iter, missing, sizeof missing[0]), WVMI_END);
    wvmi_pe_missing_iter_free(iter);
    CHECK_STATUS(wvmi_pe_extract(session, pe, WVMI_PE_LAYOUT_MEMORY, NULL, 0, &length),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(length >= 0x5000);
    CHECK_STATUS(wvmi_pe_extract(session, pe, 5, NULL, 0, &length), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_pe_extract(session, pe, 0, NULL, 8, &length), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_pe_missing_iter_new(session, pe, 5, &iter), WVMI_ERROR_INVALID_ARGUMENT);
}

static uint64_t symbol(wvmi_session *session, wvmi_process process, const char *name,
                       wvmi_architecture architecture)
{
    uint64_t address = 0;
    CHECK_OK(wvmi_process_symbol_address(session, process, name, architecture, &address));
    return address;
}

static void symbols_of_processes_are_found(wvmi_session *session)
{
    wvmi_process process = process_of(forged_process_named("legacy32.exe"));
    wvmi_user_module native, narrow;
    wvmi_symbol_match matches[4];
    uint64_t addresses[4], address;
    CHECK_OK(wvmi_user_module_by_name(session, process, "ntdll", WVMI_ARCHITECTURE_X64, &native));
    CHECK_OK(wvmi_user_module_by_name(session, process, "ntdll", WVMI_ARCHITECTURE_X86, &narrow));
    CHECK(native.base != narrow.base);
    CHECK(symbol(session, process, "ntdll!NtCreateFile", WVMI_ARCHITECTURE_X64) ==
          native.base + 0x1200);
    CHECK(symbol(session, process, "NTDLL.DLL!NtCreateFile", WVMI_ARCHITECTURE_OWN) ==
          narrow.base + 0x1200);
    /* A forwarder leads into the other module. */
    CHECK(symbol(session, process, "kernel32!HeapAlloc", WVMI_ARCHITECTURE_X86) ==
          narrow.base + 0x1300);
    CHECK(symbol(session, process, "sample_x86!#20", WVMI_ARCHITECTURE_OWN) == 0x10001020);
    CHECK_STATUS(wvmi_process_symbol_address(session, process, "ntdll!No", 0, &address),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_process_symbol_address(session, process, "NtCreateFile", 0, &address),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_process_symbol_address(session, process, NULL, 0, &address),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_process_symbol_address(session, process, "a!b", 9, &address),
                 WVMI_ERROR_INVALID_ARGUMENT);
    addresses[0] = narrow.base + 0x1204;
    addresses[1] = native.base + 0x1100;
    addresses[2] = FORGED_NT_CREATE_FILE;
    addresses[3] = 0x10;
    CHECK_OK(wvmi_process_symbols_at(session, process, addresses, 4, matches, sizeof matches[0]));
    CHECK(strcmp(matches[0].name, "NtCreateFile") == 0 && matches[0].displacement == 4);
    CHECK(matches[0].module_base == narrow.base);
    CHECK(strcmp(matches[0].module_name, "ntdll.dll") == 0);
    CHECK(strcmp(matches[1].name, "LdrLoadDll") == 0 && matches[1].module_base == native.base);
    CHECK(strcmp(matches[2].module_name, "nt") == 0 && matches[2].displacement == 0);
    CHECK(matches[3].status == WVMI_ERROR_NOT_FOUND);
    CHECK_OK(wvmi_process_symbols_at(session, process, NULL, 0, NULL, sizeof matches[0]));
    CHECK_STATUS(wvmi_process_symbols_at(session, process, addresses, 1, NULL, 8),
                 WVMI_ERROR_NULL_ARGUMENT);
}

static void symbols_of_drivers_are_found(wvmi_session *session)
{
    wvmi_module hal;
    wvmi_module_details details;
    wvmi_symbol_match match;
    wvmi_pe pe;
    wvmi_pe_details headers;
    uint64_t address = 0;
    size_t length = 0;
    CHECK_OK(wvmi_module_by_name(session, "HAL", &hal));
    CHECK_OK(wvmi_module_info(session, hal, &details, sizeof details));
    CHECK_OK(wvmi_symbol_address(session, "hal!DllInitialize", &address));
    CHECK(address == details.base + 0x1040);
    CHECK_OK(wvmi_symbol_address(session, "hal.dll!DllUnload", &address));
    address += 2;
    CHECK_OK(wvmi_symbols_at(session, &address, 1, &match, sizeof match));
    CHECK(strcmp(match.name, "DllUnload") == 0 && match.displacement == 2);
    CHECK(match.module_base == details.base && strcmp(match.module_name, "hal.dll") == 0);
    CHECK_STATUS(wvmi_symbol_address(session, "hal!No", &address), WVMI_ERROR_NOT_FOUND);
    CHECK_OK(wvmi_symbol_address(session, "ntoskrnl!NtCreateFile", &address));
    CHECK(address == FORGED_NT_CREATE_FILE);
    CHECK_OK(wvmi_module_pe(session, hal, &pe));
    CHECK(pe.base == details.base);
    CHECK_OK(wvmi_pe_info(session, pe, &headers, sizeof headers));
    CHECK(headers.size_of_image == details.size);
    CHECK_STATUS(wvmi_pe_extract(session, pe, WVMI_PE_LAYOUT_MEMORY, NULL, 0, &length),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(length == details.size);
    CHECK_STATUS(wvmi_module_by_name(session, "no.sys", &hal), WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_module_by_name(session, NULL, &hal), WVMI_ERROR_NULL_ARGUMENT);
    hal.entry = 0x10;
    CHECK_STATUS(wvmi_module_pe(session, hal, &pe), WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_module_pe(session, hal, NULL), WVMI_ERROR_NULL_ARGUMENT);
}

static void no_image_is_told(wvmi_session *session)
{
    wvmi_pe pe;
    wvmi_pe_details details;
    wvmi_pe_export_iter *exports = NULL;
    wvmi_pe_import_iter *imports = NULL;
    pe.space = kernel_space();
    pe.base = FORGED_KERNEL_BASE + 0x1000;
    CHECK_STATUS(wvmi_pe_info(session, pe, &details, sizeof details), WVMI_ERROR_CORRUPT);
    CHECK_STATUS(wvmi_pe_export_iter_new(session, pe, &exports), WVMI_ERROR_CORRUPT);
    CHECK_STATUS(wvmi_pe_import_iter_new(session, pe, &imports), WVMI_ERROR_CORRUPT);
    pe.base = 0x10;
    CHECK_STATUS(wvmi_pe_info(session, pe, &details, sizeof details), WVMI_ERROR_FAULT);
    pe.space.kind = 77;
    CHECK_STATUS(wvmi_pe_info(session, pe, &details, sizeof details),
                 WVMI_ERROR_INVALID_ARGUMENT);
    wvmi_pe_section_iter_free(NULL);
    wvmi_pe_export_iter_free(NULL);
    wvmi_pe_import_iter_free(NULL);
    wvmi_pe_missing_iter_free(NULL);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    for (size_t i = 0; i < COUNT(forged_samples); i++) {
        wvmi_pe pe = sample_pe(session, &forged_samples[i]);
        headers_are_told(session, pe, &forged_samples[i]);
        exports_are_those_of_objdump(session, pe, &forged_samples[i]);
        imports_are_told(session, pe);
        images_are_extracted(session, pe, &forged_samples[i]);
    }
    symbols_of_processes_are_found(session);
    symbols_of_drivers_are_found(session);
    no_image_is_told(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
