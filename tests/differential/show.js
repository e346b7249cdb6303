// A message as one line, as reader.py tells.

const text = (value) => typeof value === 'string' ? JSON.stringify(value) : '-';
const any = (value) => value === undefined ? '-' : JSON.stringify(value);

function kindOf(message) {
  if (!message || typeof message !== 'object') return undefined;
  if ('method' in message) return 'id' in message ? 'request' : 'notification';
  return ['result', 'error'].find((kind) => kind in message);
}

export function show(message) {
  const kind = kindOf(message);
  if (!kind) return 'nothing';
  const { id, method, params } = message;
  return [kind, any(id), text(method), text(params?.name), text(params?.uri),
    any(params?.arguments)].join('\t');
}
