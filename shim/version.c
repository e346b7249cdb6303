/* The only file that is compiled anew for another commit. */
#include "version.h"

const char version[] = WEIR_COMMIT;
