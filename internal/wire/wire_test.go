package wire

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestParse: the spellings of an error, at the top and below.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		levels     int
		want       Content
	}{
		{"Huawei", `{"error_code":"DMS.1","error_msg":"no","request_id":"r"}`, 1, Content{"DMS.1", "no", "r", "", true}},
		{"SFS Turbo", `{"errCode":"SFS.1","errMsg":"no"}`, 1, Content{"SFS.1", "no", "", "", true}},
		{
			"Google", `{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}`, 1,
			Content{Code: "NOT_FOUND", Message: "gone"},
		},
		{"AWS", `{"__type":"x#Throttling","message":"slow"}`, 1, Content{"x#Throttling", "slow", "", "", true}},
		{"one level down", `{"badRequest":{"code":"X.1","message":"no"}}`, 1, Content{"X.1", "no", "", "", true}},
		{"too far down", `{"a":{"b":{"code":"X.1"}}}`, 1, Content{}},
		{"the top alone", `{"badRequest":{"code":"X.1"}}`, 0, Content{}},
		{"something beside it", `{"code":"X.1","status":"SUCCESS"}`, 1, Content{Code: "X.1"}},
		{"a number", `{"code":"404"}`, 1, Content{Alone: true}},
		{"a list", `[]`, 1, Content{}},
		{"a page", `<html>`, 1, Content{}},
	} {
		if got := Parse([]byte(tt.body), tt.levels); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestMentionsCode(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"error_code":null,"errorCode":""}`: false, `{"error_code" : "X.1"}`: true, `{"code":null,"errCode":"X"}`: true,
		`{"status":"ok"}`: false, `{"code":`: false, `{"code":7}`: false, ``: false,
	} {
		if got := MentionsCode([]byte(body)); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}

// FuzzParse: a code is short and has a letter in it, and a body that has one mentions it.
func FuzzParse(f *testing.F) {
	f.Add(`{"error":{"code":"X.1","status":"A"}}`, 1)
	f.Add(`{"code":"\u0041","message":["x"]}`, 0)
	f.Fuzz(func(t *testing.T, body string, levels int) {
		c := Parse([]byte(body), levels%4)
		if c.Code != "" && (len(c.Code) > maxCode || !isCode(c.Code)) {
			t.Errorf("%q: the code %q", body, c.Code)
		}
		if c.Alone && c.Code != "" && json.Valid([]byte(body)) && !strings.Contains(body, `\`) &&
			!MentionsCode([]byte(body)) && !strings.Contains(body, "__type") && !strings.Contains(body, "status") {
			t.Errorf("%q has the code %q, and does not mention it", body, c.Code)
		}
	})
}

func TestHopeless(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{CheckHeader(http.Header{"X-Key": {"hush\n"}}), true},
		{fmt.Errorf("wrapped: %w", &tls.CertificateVerificationError{Err: errors.New("x")}), true},
		{errors.New("remote error: tls: certificate required"), true},
		{errors.New(`Get "https://x": Proxy Authentication Required`), true},
		{errors.New("connection refused"), false},
	} {
		if tt.err == nil || IsHopeless(tt.err) != tt.want || strings.Contains(tt.err.Error(), "hush") {
			t.Errorf("%v: want %v", tt.err, tt.want)
		}
	}
	if err := CheckHeader(http.Header{"X-Key": {"a\tb"}}); err != nil {
		t.Error(err)
	}
	for status, want := range map[int]string{404: "404 Not Found", 599: "status 599"} {
		if got := StatusText(status); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := Title([]byte("<HTML><title>\n Sign in </title>")); got != "Sign in" {
		t.Errorf("the title %q", got)
	}
}
