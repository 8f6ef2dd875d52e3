package kafka_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// TestSignature lets the real SDK sign, and changes the request on its way.
func TestSignature(t *testing.T) {
	temporary := owner
	temporary.token = "token"
	wrong, stranger := owner, owner
	wrong.sk, stranger.ak = "wrong", "stranger"
	header := func(key, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(key, value) }
	}
	iamToken := func(token string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Authorization")
			r.Header.Set("X-Auth-Token", token)
		}
	}
	edit := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	tests := []struct {
		name   string
		client account
		cloud  []fakecloud.Option
		change func(*http.Request)
		ok     bool
	}{
		{name: "as it should be", client: owner, ok: true},
		{
			name: "temporary credentials", client: temporary, cloud: []fakecloud.Option{fakecloud.WithSecurityToken("token")},
			ok: true,
		},
		{
			name: "other credentials", client: account{"ak", "sk", "", owner.project},
			cloud: []fakecloud.Option{fakecloud.WithCredentials("ak", "sk")}, ok: true,
		},
		{name: "a header that is not signed", client: owner, change: header("X-Other", "1"), ok: true},
		{
			name: "clocks 14 minutes apart", client: owner, cloud: []fakecloud.Option{
				fakecloud.WithClockSkew(14 * time.Minute)}, ok: true,
		},
		{
			name: "clocks 14 minutes apart, the other way", client: owner,
			cloud: []fakecloud.Option{fakecloud.WithClockSkew(-14 * time.Minute)}, ok: true,
		},
		{
			name: "clocks 16 minutes apart", client: owner, cloud: []fakecloud.Option{fakecloud.WithClockSkew(16 * time.Minute)},
		},
		{
			name: "clocks 16 minutes apart, the other way", client: owner,
			cloud: []fakecloud.Option{fakecloud.WithClockSkew(-16 * time.Minute)},
		},
		{name: "wrong secret key", client: wrong},
		{name: "unknown access key", client: stranger},
		{name: "no token", client: owner, cloud: []fakecloud.Option{fakecloud.WithSecurityToken("token")}},
		{name: "another token", client: temporary, cloud: []fakecloud.Option{fakecloud.WithSecurityToken("other")}},
		{name: "a token with permanent credentials", client: temporary},
		{
			name: "a token put in later", client: owner, cloud: []fakecloud.Option{fakecloud.WithSecurityToken("token")},
			change: header("X-Security-Token", "token"), ok: true,
		},
		{
			name: "another token put in later", client: owner, cloud: []fakecloud.Option{fakecloud.WithSecurityToken("token")},
			change: header("X-Security-Token", "other"),
		},
		{name: "an IAM token instead of a signature", client: owner, change: iamToken(fakecloud.DefaultIAMToken), ok: true},
		{
			name: "another cloud's IAM token", client: owner, cloud: []fakecloud.Option{fakecloud.WithIAMToken("mine")},
			change: iamToken(fakecloud.DefaultIAMToken),
		},
		{
			name: "an IAM token besides a wrong signature", client: wrong,
			change: header("X-Auth-Token", fakecloud.DefaultIAMToken),
		},
		{name: "another path", client: owner, change: func(r *http.Request) { r.URL.Path += "1" }},
		{name: "another method", client: owner, change: func(r *http.Request) { r.Method = http.MethodDelete }},
		{name: "another query", client: owner, change: func(r *http.Request) { r.URL.RawQuery = "limit=1" }},
		{name: "another signed header", client: owner, change: header("X-Project-Id", "other")},
		{
			name: "another body", client: owner, change: func(r *http.Request) {
				r.Body =
					io.NopCloser(strings.NewReader("{}"))
			},
		},
		{name: "another hash of the body", client: owner, change: header("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")},
		{name: "another date", client: owner, change: header("X-Sdk-Date", "20260101T000000Z")},
		{name: "no date", client: owner, change: func(r *http.Request) { r.Header.Del("X-Sdk-Date") }},
		{name: "a date that is none", client: owner, change: header("X-Sdk-Date", "now")},
		{name: "a date that is not signed", client: owner, change: edit(";x-sdk-date", "")},
		{name: "no signature", client: owner, change: func(r *http.Request) { r.Header.Del("Authorization") }},
		{name: "another algorithm", client: owner, change: edit("SDK-HMAC-SHA256", "SDK-HMAC-SM3")},
		{name: "rubbish", client: owner, change: header("Authorization", "Basic dXNlcjpwYXNz")},
		{name: "a part that nobody knows", client: owner, change: edit("Access=", "Admin=true, Access=")},
		{name: "an empty signature", client: owner, change: func(r *http.Request) {
			before, _, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", before+"Signature=")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // whose clock stands still between signing and verifying
				cloud := fakekafka.New(tt.cloud...)
				id := cloud.AddTask(instanceID, fakekafka.Script{})
				transport := cloud.Transport()
				client := newClient(t, tt.client, roundTripper(func(r *http.Request) (*http.Response, error) {
					if tt.change != nil {
						tt.change(r)
					}
					return transport.RoundTrip(r)
				}))
				_, err := show(client, instanceID, id)
				if tt.ok && err != nil {
					t.Errorf("error = %v, want to be let in", err)
				}
				if !tt.ok {
					wantRefusal(t, err, 401, "APIGW.0301")
				}
			})
		})
	}
}

// TestSignatureCovers lets the SDK sign what it can: queries with odd characters, a body, headers of its own.
func TestSignatureCovers(t *testing.T) {
	cloud := fakekafka.New()
	cloud.AddInstance(instanceID)
	client := newClient(t, owner, cloud.Transport())
	client.HcClient.WithExtraHeaders(map[string]string{"X-Trace": "a  b", "Accept-Language": "en"})
	odd := "2026 & co=1+1/ü"
	_, err := client.ListBackgroundTasks(&model.ListBackgroundTasksRequest{InstanceId: instanceID, BeginTime: &odd})
	wantRefusal(t, err, 400, "DMS.00400062") // not a time, but well signed
	space := int32(600)
	if _, err := client.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{
		InstanceId: instanceID, Body: &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: &space},
	}); err != nil {
		t.Errorf("a request with a body: %v", err)
	}
}

// FuzzAuthorization sends hostile Authorization headers: none is let in, and nothing panics.
func FuzzAuthorization(f *testing.F) {
	f.Add("SDK-HMAC-SHA256 Access="+fakecloud.DefaultAccessKey+", SignedHeaders=host;x-sdk-date, Signature="+
		strings.Repeat("0", 64), "20260101T000000Z")
	f.Add("SDK-HMAC-SHA256 Access=,,=, SignedHeaders=;;, Signature=", "")
	cloud := fakekafka.New()
	id := cloud.AddTask(instanceID, fakekafka.Script{})
	f.Fuzz(func(t *testing.T, authorization, date string) {
		r, err := http.NewRequest(http.MethodGet,
			"https://kafka.fake/v2/"+owner.project+"/instances/"+instanceID+"/tasks/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Sdk-Date", date)
		resp, err := cloud.Transport().RoundTrip(r)
		if err != nil {
			return // a header that cannot be sent
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("status = %d, want 401", resp.StatusCode)
		}
	})
}
