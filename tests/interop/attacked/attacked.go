// Real SDKs for Go, each as the first argument says:
//
//	attacked client COMMAND...  the tools that a client of mark3labs/mcp-go
//	                            sees, a line each
//	attacked mcp-go             a server of mark3labs/mcp-go
//	attacked metoro             a server of metoro-io/mcp-golang
//
// The tools of the servers tell on stderr what they were called with.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	metoro "github.com/metoro-io/mcp-golang"
	"github.com/metoro-io/mcp-golang/transport/stdio"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func tell(tool string, value any) {
	fmt.Fprintf(os.Stderr, "ran %s %s\n", tool, must(json.Marshal(value)))
}

func list(command []string) {
	ctx := context.Background()
	c := must(client.NewStdioMCPClient(command[0], nil, command[1:]...))
	var hello mcp.InitializeRequest
	hello.Params.ProtocolVersion = "2025-06-18"
	must(c.Initialize(ctx, hello))
	for _, tool := range must(c.ListTools(ctx, mcp.ListToolsRequest{})).Tools {
		fmt.Println(tool.Name)
	}
	c.Close()
}

type number struct {
	Value float64 `json:"value"`
}

type size struct {
	Size float64 `json:"größe"`
}

func serve() {
	s := server.NewMCPServer("attacked", "1")
	s.AddTool(mcp.NewTool("number"), mcp.NewTypedToolHandler(
		func(_ context.Context, _ mcp.CallToolRequest, args number) (*mcp.CallToolResult, error) {
			tell("number", args.Value)
			return mcp.NewToolResultText(""), nil
		}))
	s.AddTool(mcp.NewTool("size"), mcp.NewTypedToolHandler(
		func(_ context.Context, _ mcp.CallToolRequest, args size) (*mcp.CallToolResult, error) {
			tell("size", args.Size)
			return mcp.NewToolResultText(""), nil
		}))
	if err := server.ServeStdio(s); err != nil {
		panic(err)
	}
}

// Closes `ended` at the end of the input, of which that SDK tells nobody.
type input struct{ ended chan struct{} }

func (in input) Read(to []byte) (int, error) {
	n, err := os.Stdin.Read(to)
	if err == io.EOF {
		close(in.ended)
	}
	return n, err
}

func serveMetoro() {
	in := input{make(chan struct{})}
	s := metoro.NewServer(stdio.NewStdioServerTransportWithIO(in, os.Stdout))
	for _, name := range []string{"forbidden", "number"} {
		err := s.RegisterTool(name, "", func(args number) (*metoro.ToolResponse, error) {
			tell(name, args.Value)
			return metoro.NewToolResponse(metoro.NewTextContent("")), nil
		})
		if err != nil {
			panic(err)
		}
	}
	if err := s.Serve(); err != nil {
		panic(err)
	}
	<-in.ended
}

func main() {
	switch os.Args[1] {
	case "client":
		list(os.Args[2:])
	case "mcp-go":
		serve()
	case "metoro":
		serveMetoro()
	}
}
