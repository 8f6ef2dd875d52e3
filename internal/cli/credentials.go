package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/global"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"gopkg.in/ini.v1"
)

// The names are the SDK's own (core/auth/provider, v0.1.207), and CLOUD_SDK_… those of the samples on the API's
// pages.
const (
	sdkPrefix    = "HUAWEICLOUD_SDK_"
	samplePrefix = "CLOUD_SDK_"
	fileVariable = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
	fileSection  = "basic"
	projectName  = sdkPrefix + "PROJECT_ID"
)

// keys are what requests are signed with. None of the values is ever printed.
type keys struct {
	source                  string // where they were found, to be shown
	ak, sk, token, project  string
	idp, idToken, iamServer string // instead of ak and sk
	machine                 bool   // instead of all that: the machine's own
	path                    string // of the file that they are from; empty: none
	reload                  func() (keys, error)
	fault                   error // why there are none
}

var errNoKeys = errors.New(`no credentials:
set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (or CLOUD_SDK_AK and CLOUD_SDK_SK);
temporary ones need HUAWEICLOUD_SDK_SECURITY_TOKEN (or CLOUD_SDK_SECURITY_TOKEN) too.
Or put ak and sk under [basic] into ~/.huaweicloud/credentials,
or into the file that HUAWEICLOUD_SDK_CREDENTIALS_FILE names`)

// findKeys looks where the SDK does, in its order: environment, file, machine. The first place that has anything
// counts; half of a pair there is an error, never a reason to use somebody else's.
func (s *env) findKeys() (keys, error) {
	for _, find := range []func() (keys, error){
		func() (keys, error) { return s.environment(sdkPrefix) },
		func() (keys, error) { return s.environment(samplePrefix) },
		s.credentialsFile,
	} {
		if k, err := find(); err != nil || k.source != "" {
			return k, err
		}
	}
	return keys{source: "the machine's metadata", machine: true}, nil
}

func (s *env) environment(prefix string) (keys, error) {
	get := func(name string) string { return strings.TrimSpace(s.getenv(prefix + name)) }
	k := keys{ak: get("AK"), sk: get("SK"), token: get("SECURITY_TOKEN"), project: get("PROJECT_ID")}
	if idp, token := get("IDP_ID"), get("ID_TOKEN_FILE"); prefix == sdkPrefix && idp != "" && token != "" {
		k.idp, k.idToken = idp, token
		k.source = fmt.Sprintf("the environment (%sIDP_ID)", prefix)
		return k, nil
	}
	switch {
	case k.ak != "" && k.sk != "":
		k.source = fmt.Sprintf("the environment (%sAK)", prefix)
		return k, k.check()
	case k.ak != "":
		return keys{}, fmt.Errorf("%[1]sAK is set, but %[1]sSK is not", prefix)
	case k.sk != "":
		return keys{}, fmt.Errorf("%[1]sSK is set, but %[1]sAK is not", prefix)
	case k.token != "":
		return keys{}, fmt.Errorf("%[1]sSECURITY_TOKEN is set, but %[1]sAK and %[1]sSK are not", prefix)
	}
	return keys{}, nil
}

// check refuses keys that no request can carry: a line break in the middle, say, from a bad copy.
func (k *keys) check() error {
	for what, value := range map[string]string{"access key": k.ak, "secret key": k.sk, "security token": k.token} {
		if strings.IndexFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
			return fmt.Errorf("the %s from %s holds white space, or a character that is not ASCII", what, k.source)
		}
	}
	return nil
}

// credentialsFile reads the SDK's file.
func (s *env) credentialsFile() (keys, error) {
	path := strings.TrimRight(s.getenv(fileVariable), "\r\n")
	named := path != ""
	if !named && s.home == "" {
		return keys{}, nil
	}
	if !named {
		path = filepath.Join(s.home, ".huaweicloud", "credentials")
	}
	k, err := readCredentials(path)
	var unreadable *os.PathError
	switch {
	case errors.Is(err, os.ErrNotExist) && !named:
		return keys{}, nil
	case errors.As(err, &unreadable) && named:
		return keys{}, fmt.Errorf("%s: %w", fileVariable, err)
	case errors.As(err, &unreadable):
		return keys{}, fmt.Errorf("credentials file: %w", err)
	}
	return k, err
}

// readCredentials reads a credentials file. The words of its parser are not passed on: they quote the line at fault.
func readCredentials(path string) (keys, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return keys{}, err
	}
	file, err := ini.Load(text)
	if err != nil {
		return keys{}, fmt.Errorf("credentials file %s: cannot be read, want lines such as ak = … under [%s]", path,
			fileSection)
	}
	k := fileKeys(path, file.Section(fileSection))
	if (k.ak == "" || k.sk == "") && (k.idp == "" || k.idToken == "") {
		return keys{}, fmt.Errorf("credentials file %s: no ak and sk under [%s]", path, fileSection)
	}
	return k, k.check()
}

// fileKeys takes the values as they stand there: no %(name)s is replaced.
func fileKeys(path string, section *ini.Section) keys {
	get := func(name string) string { return strings.TrimSpace(section.Key(name).Value()) }
	return keys{
		source: "the file " + path, ak: get("ak"), sk: get("sk"), token: get("security_token"),
		project: get("project_id"),
		idp:     get("idp_id"), idToken: get("id_token_file"), iamServer: get("iam_endpoint"),
		path: path, reload: func() (keys, error) { return readCredentials(path) },
	}
}

// credential makes the SDK's credential of the keys. The SDK's builder may call IAM for some kinds, but not for ak and
// sk.
func (s *env) credential(k *keys, t *target) (auth.ICredential, error) {
	switch {
	case t.global:
		return accountCredential(k, t.project)
	case k.machine:
		if s.metadata == nil {
			return nil, errNoKeys
		}
		c, err := s.metadata(t.project)
		if err != nil {
			return nil, fmt.Errorf("%w.\nAs none of these exists, the machine's metadata was tried last: %w", errNoKeys,
				err)
		}
		return c, nil
	}
	b := basic.NewCredentialsBuilder().WithProjectId(t.project)
	if k.iamServer != "" {
		b.WithIamEndpointOverride(k.iamServer)
	}
	if k.idp != "" && k.idToken != "" {
		b.WithIdpId(k.idp).WithIdTokenFile(k.idToken)
	} else {
		b.WithAk(k.ak).WithSk(k.sk).WithSecurityToken(k.token)
	}
	c, err := b.SafeBuild()
	if err != nil {
		return nil, fmt.Errorf("credentials from %s: %w", k.source, err)
	}
	return c, nil
}

// accountCredential is that of an account, for services that have no projects. The machine's metadata and the tokens of
// an identity provider are for projects.
func accountCredential(k *keys, domain string) (auth.ICredential, error) {
	if k.machine {
		return nil, errNoKeys
	}
	if k.ak == "" || k.sk == "" {
		return nil, fmt.Errorf("credentials from %s: this service needs an access key and a secret key", k.source)
	}
	c, err := global.NewCredentialsBuilder().WithDomainId(domain).WithAk(k.ak).WithSk(k.sk).
		WithSecurityToken(k.token).SafeBuild()
	if err != nil {
		return nil, fmt.Errorf("credentials from %s: %w", k.source, err)
	}
	return c, nil
}

// reloading is a credential that follows its file: keys are rotated while a wait lasts. As long as the file cannot be
// read, in the middle of a rotation, the keys that were read last are used.
type reloading struct {
	path string
	load func() (auth.ICredential, error)

	mu      sync.Mutex
	current auth.ICredential
	stamp   stamp
}

// stamp tells one version of a file from another.
type stamp struct {
	modified time.Time
	size     int64
}

func newReloading(current auth.ICredential, s *env, k *keys, t *target) *reloading {
	return &reloading{path: k.path, current: current, stamp: stampOf(k.path), load: func() (auth.ICredential, error) {
		now, err := k.reload()
		if err != nil {
			return nil, err
		}
		return s.credential(&now, t)
	}}
}

func stampOf(path string) (s stamp) {
	if info, err := os.Stat(path); err == nil {
		s = stamp{info.ModTime(), info.Size()}
	}
	return s
}

// latest is the credential of the file as it is now.
func (r *reloading) latest() auth.ICredential {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := stampOf(r.path); now != r.stamp {
		if c, err := r.load(); err == nil {
			r.current, r.stamp = c, now
		}
	}
	return r.current
}

// ProcessAuthParams completes the credential for a region.
func (r *reloading) ProcessAuthParams(client *impl.DefaultHttpClient, region string) (auth.ICredential, error) {
	return r.latest().ProcessAuthParams(client, region)
}

// ProcessAuthRequest signs a request.
func (r *reloading) ProcessAuthRequest(
	client *impl.DefaultHttpClient, req *request.DefaultHttpRequest,
) (*request.DefaultHttpRequest, error) {
	return r.latest().ProcessAuthRequest(client, req)
}

// refusedKeys says what to do when the service refuses the credentials.
func refusedKeys(source string) string {
	return "the service refuses the credentials from " + source +
		": check that the access key and the secret key there " +
		"belong together and are still valid, that temporary ones come with their security token, and that the " +
		"clock of this machine is right"
}
