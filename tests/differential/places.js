// What Node's URL makes of each uri on stdin, one JSON string a line: scheme,
// host, port, path, and path with query and fragment; null if it is none.
import {createInterface} from 'node:readline';

const lines = createInterface({input: process.stdin});

lines.on('line', line => {
	let seen = null;

	try {
		const u = new URL(JSON.parse(line));

		seen = [u.protocol.slice(0, -1), u.hostname, u.port, u.pathname,
			u.pathname + u.search + u.hash];
	} catch {
	}
	console.log(JSON.stringify(seen));
});
