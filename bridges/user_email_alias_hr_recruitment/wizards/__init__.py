from . import applicant_refuse_reason, applicant_send_mail
