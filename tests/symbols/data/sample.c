/* Source of sample.pdb: each kind of type that a kernel's symbols hold. */

typedef struct _ITEM {
    unsigned long long Value;
    unsigned int Low : 3;
    unsigned int High : 29;
} ITEM;

typedef enum _KIND { KindNone = 0, KindSome = 5, KindNegative = -2 } KIND;

typedef struct _LINK {
    struct _LINK *Flink;
    struct _LINK *Blink;
} LINK;

typedef struct _OUTER {
    LINK Links;                 /* 0x00 */
    ITEM Items[3];              /* 0x10 */
    ITEM Grid[2][4];            /* 0x40 */
    KIND Kind;                  /* 0xc0 */
    union {
        unsigned long long Whole;
        struct {
            unsigned long long Bits : 63;
            unsigned long long Top : 1;
        } Parts;
    } Mixed;                    /* 0xc8 */
    unsigned short Name[16];    /* 0xd0 */
    void (*Call)(int);          /* 0xf0 */
    unsigned char Tail[1];      /* 0xf8 */
} OUTER;

OUTER PublicObject;

int PublicFunction(int argument) { return argument + PublicObject.Kind; }

int DllMain(void *module, int reason, void *reserved) { return PublicFunction(reason); }
