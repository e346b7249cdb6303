/* What all lint files use.  The contract is in lint.h. */
#include "lint.h"

#include "../../parser/member.h"
#include "loader.h"

#include <stdarg.h>
#include <string.h>

void lint_warn(struct lint *l, const struct location *location,
	       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	loader_report_at(l->report, l->context, location, format, args);
	va_end(args);
	l->count++;
}

bool lint_covers(const struct entry *e, const struct rules *r)
{
	if (!name_glob(e->folded, e->folded_len, r->entry.folded,
		       r->entry.folded_len))
		return false;
	/* A ? that met a * of the other covers only a part of it. */
	return !memchr(e->name, '?', e->len) ||
	       !memchr(r->entry.name, '*', r->entry.len);
}

bool lint_same_path(const struct condition *a, const struct condition *b)
{
	if (a->step_count != b->step_count)
		return false;
	for (size_t i = 0; i < a->step_count; i++) {
		const struct step *s = &a->steps[i], *t = &b->steps[i];

		if (s->kind != t->kind || s->index != t->index ||
		    s->len != t->len ||
		    (s->len > 0 && memcmp(s->key, t->key, s->len) != 0))
			return false;
	}
	return true;
}

bool lint_same_operand(const struct operand *o, const struct operand *p)
{
	return o->type == p->type &&
	       (o->type == TYPE_NUMBER
			? decimal_compare(&o->number, &p->number) == 0
			: o->len == p->len &&
				  memcmp(o->ptr, p->ptr, o->len) == 0);
}

bool lint_string(struct span value, char *out, size_t cap)
{
	const struct text text = member_text(value);
	ptrdiff_t len = -1;

	if (text.ptr && !(text.flags & TEXT_NUL))
		len = text_decode(text, out, cap - 1);
	out[len < 0 ? 0 : len] = '\0';
	return len >= 0;
}
