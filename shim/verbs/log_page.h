/* log_page - the sums of a log as a page: one file of HTML, with its charts as
 * SVG, that loads nothing and runs nothing. */
#ifndef SHIM_LOG_PAGE_H
#define SHIM_LOG_PAGE_H

#include "log_count.h"

/* Writes the page once count_end() was called, in one step.  A file that is
 * there is replaced only if it is a page like it.  False: reported. */
bool log_page(const struct count *c, char *const *files, const char *file);

#endif
