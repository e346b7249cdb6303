//go:build segmentio

package main

import (
	"bytes"

	"github.com/segmentio/encoding/json"
)

// Keys match to the letter, which is why the SDK changed to this. The version
// is the one that took "name\u0000" for name.
func segmentio(value []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(value))
	d.DontMatchCaseInsensitiveStructFields()
	return d.Decode(to)
}
