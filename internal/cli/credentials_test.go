package cli

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
)

const aSecret = "sEcReT-value"

// TestKeys is the order in which keys are looked for.
func TestKeys(t *testing.T) {
	first := map[string]string{"HUAWEICLOUD_SDK_AK": "1", "HUAWEICLOUD_SDK_SK": aSecret}
	second := map[string]string{"CLOUD_SDK_AK": "2", "CLOUD_SDK_SK": aSecret, "CLOUD_SDK_SECURITY_TOKEN": "t2"}
	const file = "[basic]\nak = 3\nsk = " + aSecret + "\nproject_id = p3\nsecurity_token = t3\n"
	for _, tt := range []struct {
		name     string
		env      []map[string]string
		file     string
		ak, from string // the source, without the home folder
		token    string
		err      string
	}{
		{"the SDK's variables first", []map[string]string{first, second}, file, "1",
			"the environment (HUAWEICLOUD_SDK_AK)", "", ""},
		{"with a token", []map[string]string{first, {"HUAWEICLOUD_SDK_SECURITY_TOKEN": "t1"}}, "", "1",
			"the environment (HUAWEICLOUD_SDK_AK)", "t1", ""},
		{"then the samples'", []map[string]string{second}, file, "2", "the environment (CLOUD_SDK_AK)", "t2", ""},
		{"then the file", nil, file, "3", "the file ~/.huaweicloud/credentials", "t3", ""},
		{"then the machine", nil, "", "", "the machine's metadata", "", ""},
		{"half a pair", []map[string]string{{"HUAWEICLOUD_SDK_AK": "1"}, second}, file, "", "", "",
			"HUAWEICLOUD_SDK_AK is set, but HUAWEICLOUD_SDK_SK is not"},
		{"the other half", []map[string]string{{"CLOUD_SDK_SK": aSecret}}, file, "", "", "",
			"CLOUD_SDK_SK is set, but CLOUD_SDK_AK is not"},
		{"a token alone", []map[string]string{{"CLOUD_SDK_SECURITY_TOKEN": aSecret}}, file, "", "", "",
			"CLOUD_SDK_SECURITY_TOKEN is set, but CLOUD_SDK_AK and CLOUD_SDK_SK are not"},
		{"white space around it", []map[string]string{{"HUAWEICLOUD_SDK_AK": " 1\n", "HUAWEICLOUD_SDK_SK": aSecret +
			"\r\n",
			"HUAWEICLOUD_SDK_SECURITY_TOKEN": "t1\n"}}, "", "1", "the environment (HUAWEICLOUD_SDK_AK)", "t1", ""},
		{"white space within", []map[string]string{{"HUAWEICLOUD_SDK_AK": "1", "HUAWEICLOUD_SDK_SK": aSecret + "\n" +
			aSecret}}, "",
			"", "", "", "the secret key from the environment (HUAWEICLOUD_SDK_AK) holds white space"},
		{"white space alone", []map[string]string{{"HUAWEICLOUD_SDK_AK": " \n", "HUAWEICLOUD_SDK_SK": "\t"}, second},
			file, "2",
			"the environment (CLOUD_SDK_AK)", "t2", ""},
		{"no ASCII in the file", nil, "[basic]\nak = 3\nsk = " + aSecret + "é\n", "", "", "",
			"the secret key from the file"},
		{"values of a file as they stand", nil, "[basic]\nak = %(sk)s\nsk = %(ak)s\nsecurity_token = %(ak)s%(sk)s\n",
			"%(sk)s",
			"the file ~/.huaweicloud/credentials", "%(ak)s%(sk)s", ""},
		{"a file that cannot be read", nil, "[basic]\n" + aSecret + "\n", "", "", "",
			"cannot be read, want lines such as ak = … under [basic]"},
		{"a file without keys", nil, "[global]\nak = 3\n", "", "", "", "no ak and sk under [basic]"},
		{"another file", []map[string]string{{fileVariable: "/nowhere/at-all"}}, file, "", "", "",
			"HUAWEICLOUD_SDK_CREDENTIALS_FILE: open /nowhere/at-all"},
		{"an identity provider", []map[string]string{first, {"HUAWEICLOUD_SDK_IDP_ID": "i",
			"HUAWEICLOUD_SDK_ID_TOKEN_FILE": "f"}}, "", "1", "the environment (HUAWEICLOUD_SDK_IDP_ID)", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := t.TempDir()
			if tt.file != "" {
				writeCredentials(t, home, tt.file)
			}
			s := &env{home: home, getenv: func(name string) string {
				for _, env := range tt.env {
					if v := env[name]; v != "" {
						return v
					}
				}
				return ""
			}}
			k, err := s.findKeys()
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), aSecret) {
					t.Errorf("got error %v, want %q in it, and no secret", err, tt.err)
				}
				return
			}
			if from := filepath.ToSlash(strings.ReplaceAll(k.source, home, "~")); err != nil || k.ak != tt.ak ||
				from != tt.from || k.token != tt.token {
				t.Errorf("got key %q, token %q from %q, error %v, want %q, %q from %q", k.ak, k.token, from, err, tt.ak,
					tt.token, tt.from)
			}
		})
	}
}

func writeCredentials(t *testing.T, home, text string) {
	t.Helper()
	dir := filepath.Join(home, ".huaweicloud")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "credentials"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCredentialsFile waits with the keys and the project of the file.
func TestCredentialsFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cloud.AddTask(testInstance, script("good", 0, taskwait.StatusSuccess))
		w.home = t.TempDir()
		writeCredentials(t, w.home,
			"[basic]\nak="+fakecloud.DefaultAccessKey+"\nsk="+fakecloud.DefaultSecretKey+
				"\nproject_id="+fakecloud.DefaultProject+"\n")
		w.env = map[string]string{instanceName: testInstance, endpointName: "https://kafka.fake"}
		code, _, stderr := w.run(t.Context(), "kafka", "wait", "good")
		if code != 0 || !strings.Contains(stderr, "credentials from the file ") {
			t.Errorf("got code %d, stderr %q, want 0 and the file", code, stderr)
		}
	})
}

// TestMachine asks the machine only where nothing else is set.
func TestMachine(t *testing.T) {
	for _, tt := range []struct {
		name  string
		err   error
		code  int
		wants []string
	}{
		{"it has credentials", nil, 0, []string{"credentials from the machine's metadata"}},
		{"it has none", errors.New("this machine has none"), 6, []string{
			"no credentials:\nset HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (or CLOUD_SDK_AK and CLOUD_SDK_SK)",
			"~/.huaweicloud/credentials", "this machine has none",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv(t)
				w.cloud.AddTask(testInstance, script("good", 0, taskwait.StatusSuccess))
				var out, errOut strings.Builder
				s := &env{
					args: []string{"kafka", "wait", "--instance", testInstance, "--endpoint", "https://kafka.fake",
						"--project", fakecloud.DefaultProject, "good"},
					stdout: &out, stderr: &errOut, getenv: func(string) string { return "" },
					transport: w.cloud.Transport(),
					metadata: func(project string) (auth.ICredential, error) {
						if tt.err != nil {
							return nil, tt.err
						}
						return basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).
							WithSk(fakecloud.DefaultSecretKey).WithProjectId(project).SafeBuild()
					},
				}
				if code := s.run(t.Context()); code != tt.code {
					t.Errorf("got code %d, want %d\n%s%s", code, tt.code, &out, &errOut)
				}
				for _, want := range tt.wants {
					if !strings.Contains(errOut.String(), want) {
						t.Errorf("got stderr %q, want %q in it", &errOut, want)
					}
				}
			})
		})
	}
}

// signers notes by which access keys requests were signed.
type signers struct {
	http.RoundTripper
	mu   sync.Mutex
	seen []string
}

func (s *signers) RoundTrip(r *http.Request) (*http.Response, error) {
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Access=")
	key, _, _ := strings.Cut(rest, ",")
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.seen, key) {
		s.seen = append(s.seen, key)
	}
	return s.RoundTripper.RoundTrip(r)
}

// TestRotatedKeys: a wait signs with the keys that are in the file by now, and with the ones before as long as the file
// is missing or damaged.
func TestRotatedKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		addTasks(w.cloud)
		transport := &signers{RoundTripper: w.cloud.Transport()}
		w.transport, w.home = transport, t.TempDir()
		w.env = map[string]string{instanceName: testInstance, endpointName: "https://kafka.fake"}
		path := filepath.Join(w.home, ".huaweicloud", "credentials")
		write := func(ak string) {
			writeCredentials(t, w.home,
				"[basic]\nak="+ak+"\nsk="+fakecloud.DefaultSecretKey+"\nproject_id="+fakecloud.DefaultProject+"\n")
		}
		write(fakecloud.DefaultAccessKey)
		time.AfterFunc(2*time.Second, func() { _ = os.Remove(path) })
		time.AfterFunc(6*time.Second, func() { writeCredentials(t, w.home, "[basic]\n") })
		time.AfterFunc(10*time.Second, func() { write("ROTATED") })
		code, _, stderr := w.run(t.Context(), "kafka", "wait", "--interval", "1s", "--max-interval", "1s", "good",
			"--timeout", "20s")
		if want := []string{fakecloud.DefaultAccessKey, "ROTATED"}; !slices.Equal(transport.seen, want) || code != 6 {
			t.Errorf("got code %d, keys %q, %s, want 6, since the cloud does not know the second of %q", code,
				transport.seen, stderr, want)
		}
	})
}
