// Messages on stdin, as servers in Go read them; what is printed is told in
// reader.py.
//
//	reader line       lines end at LF, encoding/json: mark3labs/mcp-go
//	reader stream     one value after the other, wherever a line ends: the
//	                  official SDK before 1.3.1
//	reader segmentio  the same, but encoding/json only finds the value, and
//	                  segmentio/encoding reads it: the official SDK 1.4.0
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
)

// A string member. As for every string of encoding/json, null changes nothing;
// what is no string at all is not there, rather than an error.
type text struct{ json.RawMessage }

func (t *text) UnmarshalJSON(value []byte) error {
	switch value[0] {
	case 'n':
	case '"':
		t.RawMessage = append([]byte(nil), value...)
	default:
		t.RawMessage = nil
	}
	return nil
}

type message struct {
	ID     json.RawMessage `json:"id"`
	Method text            `json:"method"`
	Params struct {
		Name      text            `json:"name"`
		URI       text            `json:"uri"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

var unmarshal = json.Unmarshal

// A value as encoding/json writes it, if it is there.
func told(value json.RawMessage) (string, error) {
	var v any
	if value == nil {
		return "-", nil
	}
	if err := unmarshal(value, &v); err != nil {
		return "", err
	}
	out, err := json.Marshal(v)
	return string(out), err
}

func show(m *message) (string, error) {
	fields := []string{"nothing"}
	switch {
	case m.Method.RawMessage != nil && m.ID != nil:
		fields[0] = "request"
	case m.Method.RawMessage != nil:
		fields[0] = "notification"
	case m.Result != nil:
		fields[0] = "result"
	case m.Error != nil:
		fields[0] = "error"
	default:
		return fields[0], nil
	}
	for _, value := range []json.RawMessage{
		m.ID, m.Method.RawMessage, m.Params.Name.RawMessage,
		m.Params.URI.RawMessage, m.Params.Arguments,
	} {
		out, err := told(value)
		if err != nil {
			return "", err
		}
		fields = append(fields, out)
	}
	return strings.Join(fields, "\t"), nil
}

func read(line []byte) string {
	var m message
	var limit *json.UnmarshalTypeError

	err := unmarshal(line, &m)
	if err == nil {
		var out string
		if out, err = show(&m); err == nil {
			return out
		}
	}
	// JSON that does not fit: a number past any double, mostly.
	if errors.As(err, &limit) {
		return "refused"
	}
	return "unreadable"
}

func readLines(in *bufio.Reader, print func(string)) {
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		print(read(line))
	}
}

func readStream(in *bufio.Reader, print func(string)) {
	for values := json.NewDecoder(in); ; {
		var value json.RawMessage
		err := values.Decode(&value)
		if err == io.EOF {
			return
		}
		if err == nil {
			print(read(value))
			continue
		}
		// The SDK ends here; this goes on with the next line.
		print("unreadable")
		in = bufio.NewReader(io.MultiReader(values.Buffered(), in))
		if _, err = in.ReadBytes('\n'); err != nil {
			return
		}
		values = json.NewDecoder(in)
	}
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	print := func(line string) { out.WriteString(line + "\n") }

	switch os.Args[1] {
	case "line":
		readLines(in, print)
	case "segmentio":
		unmarshal = segmentio
		fallthrough
	case "stream":
		readStream(in, print)
	}
	out.Flush()
}
