// Messages on stdin, as the SDK for Java reads them: BufferedReader and Jackson
// 2, which does not look at what follows the value.  What is printed is told in
// reader.py.

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

class Reader {
	private static final ObjectMapper json = JsonMapper.builder()
		.enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

	private static String text(Object value) throws IOException {
		return value instanceof String ? json.writeValueAsString(value) : "-";
	}

	private static String any(Map<?, ?> map, String key) throws IOException {
		return map.containsKey(key) ? json.writeValueAsString(map.get(key)) : "-";
	}

	// The SDK has Jackson fill in its own class for what a call asks for: there
	// a number or true will do for a string.
	private static String name(Map<?, ?> message, Map<?, ?> params)
			throws IOException {
		Object name = params.get("name");

		if ("tools/call".equals(message.get("method")))
			name = json.convertValue(name, String.class);
		return text(name);
	}

	private static String show(Map<?, ?> message) throws IOException {
		String kind = "error";

		if (message.containsKey("method"))
			kind = message.containsKey("id") ? "request" : "notification";
		else if (message.containsKey("result"))
			kind = "result";
		else if (!message.containsKey("error"))
			return "nothing";
		Map<?, ?> params = message.get("params") instanceof Map<?, ?> map
			? map : Map.of();
		return String.join("\t", kind, any(message, "id"),
			text(message.get("method")), name(message, params),
			text(params.get("uri")), any(params, "arguments"));
	}

	private static String read(String line) throws IOException {
		try {
			return show(json.readValue(line, HashMap.class));
		} catch (StreamConstraintsException | IllegalArgumentException limit) {
			return "refused";
		} catch (JsonProcessingException fault) {
			return "unreadable";
		}
	}

	public static void main(String[] args) throws IOException {
		try (BufferedReader in = new BufferedReader(new InputStreamReader(
				System.in, StandardCharsets.UTF_8));
		     Writer out = new BufferedWriter(new OutputStreamWriter(
				System.out, StandardCharsets.US_ASCII))) {
			for (String line; (line = in.readLine()) != null;)
				out.write(read(line) + "\n");
		}
	}
}
