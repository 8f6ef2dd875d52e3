package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/taskwait/taskwait"
	"gopkg.in/ini.v1"
)

// The names are the SDK's own (core/auth/provider, v0.1.207), and CLOUD_SDK_… those of the samples on the API's pages.
const (
	sdkPrefix    = "HUAWEICLOUD_SDK_"
	samplePrefix = "CLOUD_SDK_"
	fileVariable = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
	fileSection  = "basic"
	projectName  = sdkPrefix + "PROJECT_ID"
)

// keys are what requests are signed with. No value of it is ever printed.
type keys struct {
	source                  string // where they come from, to be shown
	ak, sk, token, project  string
	idp, idToken, iamServer string // instead of ak and sk
	machine                 bool   // instead of all that: the machine's own
}

var errNoKeys = errors.New(`no credentials: set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (or CLOUD_SDK_AK and CLOUD_SDK_SK);
temporary ones need HUAWEICLOUD_SDK_SECURITY_TOKEN (or CLOUD_SDK_SECURITY_TOKEN) too.
Or put ak and sk under [basic] into ~/.huaweicloud/credentials, or into the file that HUAWEICLOUD_SDK_CREDENTIALS_FILE names`)

// findKeys looks where the SDK does, in its order: environment, file, machine. The first place that has anything counts; half
// of a pair there is an error, never a reason to go on with somebody else's.
func (s *System) findKeys() (keys, error) {
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

func (s *System) environment(prefix string) (keys, error) {
	get := func(name string) string { return s.Getenv(prefix + name) }
	k := keys{ak: get("AK"), sk: get("SK"), token: get("SECURITY_TOKEN"), project: get("PROJECT_ID")}
	if idp, token := get("IDP_ID"), get("ID_TOKEN_FILE"); prefix == sdkPrefix && idp != "" && token != "" {
		k.idp, k.idToken = idp, token
		k.source = fmt.Sprintf("the environment (%sIDP_ID)", prefix)
		return k, nil
	}
	switch {
	case k.ak != "" && k.sk != "":
		k.source = fmt.Sprintf("the environment (%sAK)", prefix)
		return k, nil
	case k.ak != "":
		return keys{}, fmt.Errorf("%[1]sAK is set, but %[1]sSK is not", prefix)
	case k.sk != "":
		return keys{}, fmt.Errorf("%[1]sSK is set, but %[1]sAK is not", prefix)
	case k.token != "":
		return keys{}, fmt.Errorf("%[1]sSECURITY_TOKEN is set, but %[1]sAK and %[1]sSK are not", prefix)
	}
	return keys{}, nil
}

// credentialsFile reads the SDK's file. What its parser has to say is not passed on: it quotes the line at fault.
func (s *System) credentialsFile() (keys, error) {
	path := s.Getenv(fileVariable)
	asked := path != ""
	if !asked && s.Home == "" {
		return keys{}, nil
	}
	if !asked {
		path = filepath.Join(s.Home, ".huaweicloud", "credentials")
	}
	text, err := os.ReadFile(path)
	switch {
	case err != nil && !asked && errors.Is(err, os.ErrNotExist):
		return keys{}, nil
	case err != nil && asked:
		return keys{}, fmt.Errorf("%s: %w", fileVariable, err)
	case err != nil:
		return keys{}, fmt.Errorf("credentials file: %w", err)
	}
	file, err := ini.Load(text)
	if err != nil {
		return keys{}, fmt.Errorf("credentials file %s: cannot be read, want lines such as ak = … under [%s]", path, fileSection)
	}
	return fileKeys(path, file.Section(fileSection))
}

func fileKeys(path string, section *ini.Section) (keys, error) {
	get := func(name string) string { return strings.TrimSpace(section.Key(name).String()) }
	k := keys{
		source: "the file " + path, ak: get("ak"), sk: get("sk"), token: get("security_token"), project: get("project_id"),
		idp: get("idp_id"), idToken: get("id_token_file"), iamServer: get("iam_endpoint"),
	}
	if (k.ak == "" || k.sk == "") && (k.idp == "" || k.idToken == "") {
		return keys{}, fmt.Errorf("credentials file %s: no ak and sk under [%s]", path, fileSection)
	}
	return k, nil
}

// credential makes the SDK's credential of the keys. The SDK's builder may call IAM for some kinds, but not for ak and sk.
func (s *System) credential(k *keys, project string) (auth.ICredential, error) {
	if k.machine {
		if s.Metadata == nil {
			return nil, errNoKeys
		}
		c, err := s.Metadata(project)
		if err != nil {
			return nil, fmt.Errorf("%w.\nAs nothing of that is set the machine's metadata was asked last: %w", errNoKeys, err)
		}
		return c, nil
	}
	b := basic.NewCredentialsBuilder().WithProjectId(project)
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

// unauthorized reports whether the service has refused the credentials themselves.
func unauthorized(err error) bool {
	var q *taskwait.QueryError
	return errors.As(err, &q) && strings.HasPrefix(q.Error(), "401 ")
}

// refusedKeys says what to do about that.
func refusedKeys(source string) string {
	return "the service refuses the credentials from " + source + ": see that the access key and the secret key there belong together and " +
		"are still valid, that temporary ones come with their security token, and that this clock is right"
}
