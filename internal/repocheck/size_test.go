package repocheck

import (
	"archive/zip"
	"bytes"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	maxFile = 500_000   // bytes of one tracked file
	maxZip  = 2_000_000 // bytes of the module's zip, which is what go get fetches
)

// TestSize checks each tracked file, and the zip that the go command makes of the module: all tracked files but those
// of nested modules and of vendor folders.
func TestSize(t *testing.T) {
	files := strings.Split(strings.TrimSuffix(output(t, "git", "ls-files", "-z"), "\x00"), "\x00")
	var nested []string
	for _, f := range files {
		if dir := path.Dir(f); path.Base(f) == "go.mod" && dir != "." {
			nested = append(nested, dir+"/")
		}
	}
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(f)))
		if os.IsNotExist(err) {
			continue // deleted, and not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(content) > maxFile {
			t.Errorf("%s has %d bytes, want at most %d", f, len(content), maxFile)
		}
		inside := slices.ContainsFunc(nested, func(dir string) bool { return strings.HasPrefix(f, dir) })
		if inside || strings.Contains("/"+f, "/vendor/") {
			continue
		}
		w, err := z.Create(self + "@v0.0.0/" + f)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tracked files; the module's zip has %d bytes", len(files), packed.Len())
	if packed.Len() > maxZip {
		t.Errorf("the module's zip has %d bytes, want at most %d", packed.Len(), maxZip)
	}
}
